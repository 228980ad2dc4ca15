using System.Text.Json;
using System.Text.Json.Serialization;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Scheduling;

/// <summary>
/// What operators have paused: the whole queue, or the tasks of one provider, agent or workspace. Kept on the board, so that a restart keeps it. Runs go on;
/// none is started by the scheduler. Safe from any thread.
/// </summary>
public sealed class QueuePauses
{
    /// <summary>The most pauses at once.</summary>
    public const int Max = 64;

    internal const string Prefix = "queue.pause.";

    private readonly TaskBoard _board;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile IReadOnlyList<QueuePause> _paused;

    private QueuePauses(TaskBoard board, TimeProvider time, ILogger logger, IReadOnlyList<QueuePause> paused) =>
        (_board, _time, _logger, _paused) = (board, time, logger, paused);

    /// <summary>What is paused, the whole queue first.</summary>
    public QueueState State => new(_paused);

    /// <summary>Restores what the board says. A record that cannot be read is dropped.</summary>
    public static async Task<QueuePauses> RestoreAsync(TaskBoard board, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(board);
        var paused = new List<QueuePause>();
        foreach (var record in await board.SettingsAsync(Prefix, Max).ConfigureAwait(false))
        {
            if (Read(record.Value) is { } pause)
                paused.Add(pause);
            else
                await board.DropSettingAsync(record.Name).ConfigureAwait(false);
        }
        var pauses = new QueuePauses(board, time, logger, Sorted(paused));
        foreach (var pause in pauses._paused)
            logger.QueuePaused(WhatOf(pause), Because(pause));
        return pauses;
    }

    /// <summary>Pauses what the selectors name, the whole queue without any. A second pause of the same replaces the reason.</summary>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing is paused.</exception>
    /// <exception cref="InvalidOperationException">There are <see cref="Max"/> pauses.</exception>
    public async Task<QueueState> PauseAsync(string? provider, string? agent, string? reason, string? workspace = null)
    {
        var known = _paused.FirstOrDefault(pause => IsSame(pause, provider, agent, workspace));
        if (known is null && _paused.Count >= Max)
            throw new InvalidOperationException($"there are {Max} pauses already; end one first: colibri resume-queue");
        var pause = new QueuePause(provider, agent, known?.Since ?? _time.GetUtcNow(), reason, workspace);
        // Persisted before it takes effect: a pause that was answered must survive a restart.
        await _board.SetSettingAsync(NameOf(provider, agent, workspace), JsonSerializer.Serialize(pause, QueuePauseJson.Default.QueuePause)).ConfigureAwait(false);
        Change(paused => [.. paused.Where(other => !IsSame(other, provider, agent, workspace)), pause]);
        _logger.QueuePaused(WhatOf(pause), Because(pause));
        return State;
    }

    /// <summary>Ends the pause of exactly these selectors; without one nothing changes.</summary>
    /// <exception cref="BoardUnavailableException">The disk refused, so it stays paused.</exception>
    public async Task<QueueState> ResumeAsync(string? provider, string? agent, string? workspace = null)
    {
        if (_paused.FirstOrDefault(pause => IsSame(pause, provider, agent, workspace)) is not { } ended)
            return State;
        await _board.DropSettingAsync(NameOf(provider, agent, workspace)).ConfigureAwait(false);
        Change(paused => [.. paused.Where(pause => !IsSame(pause, provider, agent, workspace))]);
        _logger.QueueResumed(WhatOf(ended));
        return State;
    }

    /// <summary>The pause that keeps tasks of a provider and an agent from starting; null for none.</summary>
    /// <param name="isProvider">Whether a name means the provider.</param>
    /// <param name="agent">The agent's name.</param>
    /// <param name="workspace">The tasks' workspace; null finds no pause of one.</param>
    public QueuePause? Of(Predicate<string> isProvider, string agent, string? workspace = null)
    {
        ArgumentNullException.ThrowIfNull(isProvider);
        foreach (var pause in _paused)
        {
            if ((pause.Provider is null || isProvider(pause.Provider)) && (pause.Agent is null || pause.Agent == agent)
                && (pause.Workspace is null || pause.Workspace == workspace))
                return pause;
        }
        return null;
    }

    /// <summary>The pause in a line for a person.</summary>
    public static string Words(QueuePause pause)
    {
        ArgumentNullException.ThrowIfNull(pause);
        var selectors = (pause.Provider is null ? "" : $" --provider {pause.Provider}") + (pause.Agent is null ? "" : $" --agent {pause.Agent}")
            + (pause.Workspace is null ? "" : $" --workspace {pause.Workspace}");
        return $"{WhatOf(pause)} is paused since {pause.Since:yyyy-MM-dd'T'HH:mm:ss'Z'}{Because(pause)}; go on with: colibri resume-queue{selectors}";
    }

    private void Change(Func<IReadOnlyList<QueuePause>, IEnumerable<QueuePause>> change)
    {
        IReadOnlyList<QueuePause> before, after;
        do
        {
            before = _paused;
            after = Sorted(change(before));
        }
#pragma warning disable CS0420 // Interlocked reads and writes a volatile field as it should be.
        while (Interlocked.CompareExchange(ref _paused, after, before) != before);
#pragma warning restore CS0420
    }

    private static IReadOnlyList<QueuePause> Sorted(IEnumerable<QueuePause> paused) =>
        [.. paused.OrderBy(pause => pause.Provider ?? "", StringComparer.Ordinal).ThenBy(pause => pause.Agent ?? "", StringComparer.Ordinal)
            .ThenBy(pause => pause.Workspace ?? "", StringComparer.Ordinal)];

    /// <summary>The pause of a workspace's tasks, whatever provider and agent they would have; null for none.</summary>
    public QueuePause? OfWorkspace(string workspace) =>
        _paused.FirstOrDefault(pause => pause is { Provider: null, Agent: null } && pause.Workspace == workspace);

    private static bool IsSame(QueuePause pause, string? provider, string? agent, string? workspace) =>
        string.Equals(pause.Provider, provider, StringComparison.OrdinalIgnoreCase) && pause.Agent == agent && pause.Workspace == workspace;

    // No escaped name has a slash, so a record with a workspace is never taken for one without.
    private static string NameOf(string? provider, string? agent, string? workspace) =>
        $"{Prefix}{Uri.EscapeDataString(provider?.ToLowerInvariant() ?? "")}.{Uri.EscapeDataString(agent ?? "")}{(workspace is null ? "" : $"/{Uri.EscapeDataString(workspace)}")}";

    private static string WhatOf(QueuePause pause)
    {
        var what = (pause.Provider, pause.Agent) switch
        {
            (null, null) => pause.Workspace is null ? "the queue" : null,
            ({ } asked, null) => $"provider {asked}",
            (null, { } worker) => $"agent {worker}",
            ({ } asked, { } worker) => $"provider {asked} of agent {worker}",
        };
        return pause.Workspace is not { } workspace ? what! : what is null ? $"workspace {workspace}" : $"{what} in workspace {workspace}";
    }

    private static string Because(QueuePause pause) => pause.Reason is { Length: > 0 } reason ? $": {reason}" : "";

    private static QueuePause? Read(string value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, QueuePauseJson.Default.QueuePause);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(QueuePause))]
internal sealed partial class QueuePauseJson : JsonSerializerContext;

using System.Collections.Concurrent;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// Whether runs can work in the workspaces. A workspace is looked at when the daemon starts, when its settings change, and after a run found it unusable
/// until it is usable again. The tasks of one that is not usable wait, and lose no attempt.
/// </summary>
/// <param name="git">Runs git.</param>
/// <param name="settings">The workspaces.</param>
/// <param name="time">The clock between two looks.</param>
/// <param name="logger">Told of each change.</param>
public sealed class WorkspaceHealth
{
    /// <summary>The time between two looks at a workspace that is not usable.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromSeconds(15);

    private const string Unseen = "it is being looked at";

    private readonly WorkspaceGit _git;
    private readonly Func<ColibriSettings> _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeUp _wake = new();

    // Those that are under way. One that hangs on a dead disk must not keep the others waiting, now or later.
    private readonly ConcurrentDictionary<string, Task> _underWay = new(StringComparer.Ordinal);

    // What was seen of each workspace, with the settings that it was seen with: others have to be looked at anew.
    private readonly ConcurrentDictionary<string, Look> _looks = new(StringComparer.Ordinal);

    internal WorkspaceHealth(WorkspaceGit git, Func<ColibriSettings> settings, TimeProvider time, ILogger logger) =>
        (_git, _settings, _time, _logger) = (git, settings, time, logger);

    /// <summary>A workspace became usable. Must not block.</summary>
    public event Action? Mended;

    /// <summary>Puts a workspace's trees in order before its first run. Called at the first look with its settings; git's failure makes it unusable.</summary>
    internal Func<WorkspaceSettings, Repository, CancellationToken, Task>? AtFirstLook { get; set; }

    /// <summary>Why no run can work in it now, in a line for a person; null where one can.</summary>
    public string? Why(string workspace)
    {
        if (_settings().Workspace(workspace) is not { } now)
            return null;
        return LookOf(now) is { } look ? look.Problem : Unseen;
    }

    /// <summary>The same, with the time since when; null also while it is still being looked at.</summary>
    public (string Problem, DateTimeOffset Since)? Trouble(string workspace) =>
        _settings().Workspace(workspace) is { } now && LookOf(now) is { Problem: { } problem } look ? (problem, look.Since) : null;

    /// <summary>A run found that it cannot be worked in.</summary>
    public void Report(WorkspaceSettings workspace, string problem)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        Set(workspace, problem);
        _wake.Set();
    }

    /// <summary>The settings may have changed.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                LookAtAll(stopping);
                await _wake.WaitAsync(HasTrouble ? Again : Timeout.InfiniteTimeSpan, _time, stopping).ConfigureAwait(false);
                // A problem that a run has just reported is not gone at once.
                if (!HasUnseen)
                    await Task.Delay(Again / 5, _time, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
        await Task.WhenAll(_underWay.Values).ConfigureAwait(false);
    }

    // A list is another one after each reading of the file.
    private Look? LookOf(WorkspaceSettings now) =>
        _looks.TryGetValue(now.Name, out var look) && look.Settings with { Agents = now.Agents } == now ? look : null;

    private bool HasUnseen => _settings().Workspaces.Any(workspace => LookOf(workspace) is null && !_underWay.ContainsKey(workspace.Name));

    private bool HasTrouble => _settings().Workspaces.Any(workspace => Why(workspace.Name) is not null);

    private void LookAtAll(CancellationToken stopping)
    {
        var now = _settings().Workspaces;
        foreach (var gone in _looks.Keys.Where(name => now.All(workspace => workspace.Name != name)))
            _looks.TryRemove(gone, out _);
        foreach (var workspace in now.Where(workspace => Why(workspace.Name) is not null && !_underWay.ContainsKey(workspace.Name)))
        {
            var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _underWay[workspace.Name] = begun.Task;
            // On a thread of its own: a look at a directory on a dead disk does not return.
            _ = Background.Run(_logger, $"the look at workspace {workspace.Name}", Task.Run(() => LookAsync(workspace, begun, stopping), CancellationToken.None));
        }
    }

    private async Task LookAsync(WorkspaceSettings workspace, TaskCompletionSource ended, CancellationToken stopping)
    {
        try
        {
            await LookAsync(workspace, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
        finally
        {
            _underWay.TryRemove(workspace.Name, out _);
            ended.TrySetResult();
            // Its settings have changed meanwhile.
            if (HasUnseen)
                _wake.Set();
        }
    }

    private async Task LookAsync(WorkspaceSettings workspace, CancellationToken stopping)
    {
        var isFirst = LookOf(workspace) is not { IsSwept: true };
        string? problem;
        try
        {
            problem = await ProblemAsync(workspace, isFirst, stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException or BoardUnavailableException)
        {
            problem = e.Message;
        }
        catch (Exception e) when (e is not OutOfMemoryException and not OperationCanceledException)
        {
            // Without a look no task of it would ever start.
            _logger.UnexpectedFailure($"the look at workspace {workspace.Name}", e);
            problem = "the look at it failed in the daemon; its log says how";
        }
        Set(workspace, problem, isSwept: problem is null || !isFirst);
    }

    private async Task<string?> ProblemAsync(WorkspaceSettings workspace, bool isFirst, CancellationToken stopping)
    {
        if (workspace.Isolation == Isolation.Shared)
            return Directory.Exists(workspace.Path) ? null : $"its directory is not there: {workspace.Path}";
        var repository = await _git.OpenAsync(workspace.Path, stopping).ConfigureAwait(false);
        var tip = await repository.BaseAsync(workspace.Base, stopping).ConfigureAwait(false);
        await repository.RequireUsableAsync(tip, workspace, stopping).ConfigureAwait(false);
        if (isFirst && AtFirstLook is { } first)
            await first(workspace, repository, stopping).ConfigureAwait(false);
        return null;
    }

    private void Set(WorkspaceSettings workspace, string? problem, bool? isSwept = null)
    {
        var before = _looks.GetValueOrDefault(workspace.Name);
        var isSame = before is not null && before.Settings with { Agents = workspace.Agents } == workspace;
        _looks[workspace.Name] = new Look(
            workspace, problem, isSwept ?? (isSame && before!.IsSwept), problem is not null && before is { Problem: not null } ? before.Since : _time.GetUtcNow());
        if (problem is not null && before?.Problem != problem)
            _logger.WorkspaceUnusable(workspace.Name, problem);
        if (problem is null && before is { Problem: not null })
            _logger.WorkspaceUsable(workspace.Name);
        if (problem is null)
            Mended?.Invoke();
    }

    /// <param name="Settings">With which it was looked at.</param>
    /// <param name="Problem">What keeps runs from it; null where nothing does.</param>
    /// <param name="IsSwept">Whether its trees were put in order.</param>
    /// <param name="Since">Since when it has a problem, or has none.</param>
    private sealed record Look(WorkspaceSettings Settings, string? Problem, bool IsSwept, DateTimeOffset Since);
}

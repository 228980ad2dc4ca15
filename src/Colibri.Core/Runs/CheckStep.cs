using System.Globalization;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// The check of a task, after its agent has ended: a shell command in the run's place, as the agent's user and confined as the agent was. Its exit is
/// part of the verdict. A failed check goes back to the agent with the last of its output, as often as the workspace allows.
/// </summary>
internal sealed class CheckStep(Func<ColibriSettings> settings, Secrets secrets, ILogger logger) : IRunStep
{
    /// <summary>The error code of a run whose check failed.</summary>
    public const string Failed = "check-failed";

    /// <summary>The time of a check that no workspace limits.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(20);

    public async Task<TaskError?> RunAsync(Run run)
    {
        if (run is not { Task: { } task, Place: { } place, Site: { } site })
            return null;
        // One that was taken out of the configuration meanwhile is checked by the rules that the run began with.
        var workspace = place.Workspace is { } name ? settings().Workspace(name) ?? place.Settings : null;
        if ((task.Check?.Command ?? workspace?.Check) is not { Length: > 0 } command)
            return null;
        // Nothing to check where nothing was changed.
        if (run.Change is { State: ChangeState.Empty } && task.Check is null)
            return null;
        var limit = workspace?.CheckTimeout ?? DefaultLimit;
        run.Check = new TaskCheck(command);
        CommandOutcome outcome;
        try
        {
            outcome = await site.ExecuteAsync(command, place.Directory, limit).ConfigureAwait(false);
        }
        catch (SpawnException e)
        {
            return new TaskError(Failed, $"the check could not be started: {e.Message}");
        }
        if (outcome.IsStopped)
            return new TaskError(Failed, "the run was stopped while it was checked");
        var tail = outcome.Output.Text(secrets);
        run.Check = new TaskCheck(command, new ProcessExit(outcome.Exit.Code, outcome.Exit.Signal), (long)outcome.Duration.TotalMilliseconds, tail);
        if (outcome.Left.Count > 0)
            logger.CheckLeft(task.Number, outcome.Left.Count, outcome.Left.First ?? "");
        if (outcome.IsGood)
            return null;
        var how = outcome.Memory is { } excess ? excess.Words : outcome.HasMissedItsLimit ? $"ran longer than {Words(limit)} and was ended" : $"failed: {outcome.Exit}{(outcome.Left.Limit is { } limited ? $"; {limited}" : "")}";
        var last = outcome.Output.LastLine(secrets);
        if ((task.Reworks ?? 0) < (workspace?.Rework ?? 0))
            run.Feedback = FeedbackOf(command, how, tail);
        if (outcome.Memory is not null)
            return new TaskError(RunVerdict.Memory, $"the check {how}");
        return new TaskError(Failed, last is null ? $"the check {how}" : $"the check {how}: {last}");
    }

    /// <summary>What the agent is told of a failed check.</summary>
    private static string FeedbackOf(string command, string how, string? tail) => $"""
        The check of this task {how}. The check is this command, run in this directory after you had ended:

            {command}

        {(string.IsNullOrWhiteSpace(tail) ? "It printed nothing." : $"The last of its output:\n\n{tail.TrimEnd()}")}

        Your work so far is in this directory and is committed. Mend it so that the check passes.
        """;

    internal static string Words(TimeSpan limit) =>
        limit.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{limit.TotalMinutes:0.#} min") : string.Create(CultureInfo.InvariantCulture, $"{limit.TotalSeconds:0.###} s");
}

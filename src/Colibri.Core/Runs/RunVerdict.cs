using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Providers;
using Colibri.Posix.Signalling;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>The verdict on a run, from its events and its exit together, because agents that failed often exit 0.</summary>
/// <param name="Verdict"><see cref="Done"/>, or the error's code.</param>
/// <param name="Error">Null exactly when the run is done.</param>
public readonly record struct RunVerdict(string Verdict, TaskError? Error)
{
    public const string Done = "done";

    /// <summary>Its process could not be started.</summary>
    public const string SpawnFailed = "spawn-failed";

    /// <summary>The agent reported an error of its own, or refused the prompt.</summary>
    public const string AgentError = "agent-error";

    /// <summary>The answer was cut by the token limit.</summary>
    public const string TokenLimit = "token-limit";

    /// <summary>The agent says that the run was aborted.</summary>
    public const string Aborted = "aborted";

    /// <summary>It exited with something other than 0.</summary>
    public const string ExitCode = "exit-code";

    /// <summary>It ended without a finished run, and its exit status is lost.</summary>
    public const string ExitUnknown = "exit-unknown";

    /// <summary>It died of a signal that the daemon had not sent.</summary>
    public const string Killed = "killed";

    /// <summary>It exited 0 in the middle of the run.</summary>
    public const string Incomplete = "incomplete";

    /// <summary>It ended its run with work of its own still open in the background.</summary>
    public const string Background = "background";

    /// <summary>It exited 0 without a run.</summary>
    public const string NoResult = "no-result";

    /// <summary>It exited 0 while it waited for an answer.</summary>
    public const string Blocked = "blocked";

    /// <summary>It was asked to stop before it had finished.</summary>
    public const string Stopped = "stopped";

    /// <summary>Its task has cost more than a task may.</summary>
    public const string Budget = "budget";

    /// <summary>It missed a deadline.</summary>
    public const string Deadline = "deadline";

    /// <summary>It exited 2 or 64 (EX_USAGE, sysexits.h) without an event: it does not understand its command line.</summary>
    public const string Usage = "usage";

    private const int MaxMessageChars = 500;

    /// <summary>Judges a run once all that the agent printed has been read and its process has ended.</summary>
    /// <param name="run">What the events say.</param>
    /// <param name="exit">How the process ended.</param>
    /// <param name="stopRequested">The daemon asked it to end.</param>
    /// <param name="printsEvents">False for a program that need not print events at all.</param>
    /// <param name="lastWords">The last line it wrote to standard error, if any; joined to messages that have no better words.</param>
    /// <param name="secrets">The keys to redact in messages; none when null.</param>
    public static RunVerdict Judge(RunReport run, ProcessExit exit, bool stopRequested, bool printsEvents, string? lastWords = null, Secrets? secrets = null)
    {
        ArgumentNullException.ThrowIfNull(exit);
        var code = CodeFor(run, exit, stopRequested, printsEvents);
        return code == Done ? new RunVerdict(Done, null) : new RunVerdict(code, new TaskError(code, (secrets ?? Secrets.None).Excerpt(MessageFor(code, run, exit, lastWords), MaxMessageChars)));
    }

    private static string CodeFor(RunReport run, ProcessExit exit, bool stopRequested, bool printsEvents)
    {
        // A refused prompt means that no run was to begin, whatever ended the process.
        if (RefusalOf(run) is not null) return AgentError;
        if (stopRequested)
        {
            return run.Outcome switch
            {
                RunOutcome.Done => run.HasBackgroundWork ? Stopped : Done,

                // An agent that we stop may report on its way out that the run was aborted.
                RunOutcome.Failed when run.Stop != StopReason.Aborted => FailureCode(run.Stop),
                _ => Stopped,
            };
        }

        if (exit.Signal is not null) return Killed;
        if (exit.Code is null)
        {
            return run.Outcome switch
            {
                // The agent's own report is all we have, and finished work is not repeated.
                RunOutcome.Done => run.HasBackgroundWork ? Background : Done,
                RunOutcome.Failed => FailureCode(run.Stop),
                _ => ExitUnknown,
            };
        }
        var clean = exit.Code is 0;
        return run.Outcome switch
        {
            RunOutcome.Failed => FailureCode(run.Stop),
            RunOutcome.Silent when exit.Code is 2 or 64 => Usage,
            _ when !clean => ExitCode,
            RunOutcome.Silent or RunOutcome.Idle => printsEvents ? NoResult : Done,
            RunOutcome.Working => Incomplete,
            RunOutcome.Blocked => Blocked,
            _ => run.HasBackgroundWork ? Background : Done,
        };
    }

    private static string? RefusalOf(RunReport run) => run.Outcome is RunOutcome.Silent or RunOutcome.Idle ? run.PromptRefused : null;

    private static string FailureCode(StopReason stop) => stop switch
    {
        StopReason.Length => TokenLimit,
        StopReason.Aborted => Aborted,
        _ => AgentError,
    };

    private static string MessageFor(string code, RunReport run, ProcessExit exit, string? lastWords) => OneLine(code switch
    {
        AgentError or TokenLimit or Aborted => RefusalOf(run) ?? run.Error ?? "the agent reported an error without saying which",
        ExitCode => With(lastWords, $"exited {exit.Code}{HintFor(exit.Code)} {After(run)}"),
        ExitUnknown => With(lastWords, $"ended, and its exit status was lost, {After(run)}"),
        Killed when run.Error is not null => $"killed by {Signals.Name(exit.Signal.GetValueOrDefault())} {After(run)}: {run.Error}",
        Killed => With(lastWords, $"killed by {Signals.Name(exit.Signal.GetValueOrDefault())} {After(run)}"),
        Usage => With(lastWords, $"exited {exit.Code} without printing an event: it does not understand its arguments"),
        Incomplete => With(lastWords, $"exited 0 in the middle of the run, {After(run)}"),
        NoResult => With(lastWords, run.Outcome == RunOutcome.Silent
            ? "exited 0 without printing one event"
            : $"exited 0 without a run, {After(run)}"),
        Background => $"ended its run with {OpenWork(run)}",
        Blocked => "exited 0 while it waited for an answer nobody gave",
        _ => $"stopped on request {After(run)}",
    });

    private static string OpenWork(RunReport run) => run.BackgroundTasks == 1
        ? $"a background task of its own still open{(run.BackgroundTask is { } only ? $": {only}" : "")}"
        : $"{run.BackgroundTasks} background tasks of its own still open{(run.BackgroundTask is { } first ? $", among them: {first}" : "")}";

    private static string After(RunReport run) => run.LastEvent is null ? "without printing an event" : $"after {run.LastEvent}";

    private static string With(string? lastWords, string message) =>
        string.IsNullOrWhiteSpace(lastWords) ? message : $"{message}: {lastWords.Trim()}";

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();

    private static string HintFor(int? code) => code is > 128 and < 160 ? $" (128 + {Signals.Name(code.Value - 128)})" : "";
}

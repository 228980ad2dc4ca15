using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Processes;
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

    /// <summary>It finished its run, tools were refused, and no tool call succeeded after the last refusal.</summary>
    public const string Denied = "denied";

    /// <summary>It finished its run with neither words nor a successful tool call.</summary>
    public const string Empty = "empty";

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

    /// <summary>Its tree, its check's or its setup's held more memory than it may.</summary>
    public const string Memory = "memory";

    /// <summary>It exited 2 or 64 (EX_USAGE, sysexits.h) without an event: it does not understand its command line.</summary>
    public const string Usage = "usage";

    /// <summary>Its provider was at fault, and nothing else: the attempt is given back.</summary>
    public const string Provider = "provider";

    private const int MaxMessageChars = 500;

    /// <summary>Another attempt would come to the same, or would do finished work again.</summary>
    public bool IsFinal { get; private init; }

    /// <summary>Whether the agent had finished its run, whatever became of its process then.</summary>
    public bool IsFinished { get; private init; }

    /// <summary>Whether a run that is over by its events is done by them.</summary>
    public static bool IsGood(in RunReport run, bool printsEvents) => run.Outcome == RunOutcome.Done && CodeOfDone(run, default, printsEvents) == Done;

    /// <summary>Judges a run once all that the agent printed has been read and its process has ended.</summary>
    /// <param name="run">What the events say.</param>
    /// <param name="exit">How the process ended.</param>
    /// <param name="stopRequested">The daemon asked it to end.</param>
    /// <param name="printsEvents">False for a program that need not print events at all.</param>
    /// <param name="lastWords">The last line it wrote to standard error, if any; joined to messages that have no better words.</param>
    /// <param name="secrets">The keys to redact in messages; none when null.</param>
    /// <param name="left">What was left of its tree when the process had ended.</param>
    public static RunVerdict Judge(
        RunReport run, ProcessExit exit, bool stopRequested, bool printsEvents, string? lastWords = null, Secrets? secrets = null, LeftProcesses left = default)
    {
        ArgumentNullException.ThrowIfNull(exit);
        var code = CodeFor(run, exit, stopRequested, printsEvents, left);
        if (code == Done)
            return new RunVerdict(Done, null) { IsFinished = true };
        var isFinished = code is ExitCode or Killed && run.Outcome == RunOutcome.Done && CodeOfDone(run, left, printsEvents) is Done or Denied;
        var message = MessageFor(code, run, exit, lastWords, left, isFinished);
        return new RunVerdict(code, new TaskError(code, (secrets ?? Secrets.None).Excerpt(message, MaxMessageChars)))
        {
            IsFinished = isFinished,
            IsFinal = isFinished || code is Usage or Denied,
        };
    }

    private static string CodeFor(RunReport run, ProcessExit exit, bool stopRequested, bool printsEvents, LeftProcesses left)
    {
        // A refused prompt means that no run was to begin, whatever ended the process.
        if (RefusalOf(run) is not null) return AgentError;
        if (stopRequested)
        {
            return run.Outcome switch
            {
                RunOutcome.Done => run.HasBackgroundWork ? Stopped : CodeOfDone(run, left, printsEvents),

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
                RunOutcome.Done => CodeOfDone(run, left, printsEvents),
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
            RunOutcome.Silent or RunOutcome.Idle when !printsEvents => left.Count > 0 ? Background : Done,
            RunOutcome.Silent or RunOutcome.Idle => run.Signs.IsCut ? Incomplete : NoResult,
            RunOutcome.Working => Incomplete,
            RunOutcome.Blocked => Blocked,
            _ => CodeOfDone(run, left, printsEvents),
        };
    }

    // The agent says that it has finished. Whether it has is said by what it did, and by what it left.
    private static string CodeOfDone(in RunReport run, LeftProcesses left, bool printsEvents)
    {
        if (run.HasBackgroundWork && (!run.IsBackgroundGuessed || left.Count > 0)) return Background;
        if (!printsEvents && left.Count > 0) return Background;
        if (run.Signs.Unended is not null) return Incomplete;
        if (run.Signs.EndsDenied) return Denied;
        return printsEvents && run.Signs.IsEmpty ? Empty : Done;
    }

    private static string? RefusalOf(RunReport run) => run.Outcome is RunOutcome.Silent or RunOutcome.Idle ? run.PromptRefused : null;

    private static string FailureCode(StopReason stop) => stop switch
    {
        StopReason.Length => TokenLimit,
        StopReason.Aborted => Aborted,
        _ => AgentError,
    };

    private static string MessageFor(string code, in RunReport run, ProcessExit exit, string? lastWords, LeftProcesses left, bool isFinished) => OneLine(code switch
    {
        AgentError or TokenLimit or Aborted => RefusalOf(run) ?? run.Error ?? "the agent reported an error without saying which",
        ExitCode when isFinished => With(Reported(run) ?? lastWords, $"the agent finished its run, then exited {exit.Code}{HintFor(exit.Code)}"),
        Killed when isFinished => With(
            Reported(run) ?? LastWordsOf(exit, lastWords), $"the agent finished its run, then was killed by {Signals.Name(exit.Signal.GetValueOrDefault())}"),
        ExitCode => With(lastWords, $"exited {exit.Code}{HintFor(exit.Code)} {After(run)}"),
        ExitUnknown => With(lastWords, $"ended, and its exit status was lost, {After(run)}"),
        Killed when run.Error is not null => $"killed by {Signals.Name(exit.Signal.GetValueOrDefault())} {After(run)}: {run.Error}",
        Killed => With(LastWordsOf(exit, lastWords), $"killed by {Signals.Name(exit.Signal.GetValueOrDefault())} {After(run)}"),
        Usage => With(lastWords, $"exited {exit.Code} {After(run)}: it does not understand its arguments"),
        Incomplete when run.Outcome == RunOutcome.Done => With(lastWords, $"ended its run while a call of {run.Signs.Unended} had not ended"),
        Incomplete => With(lastWords, $"exited 0 in the middle of the run, {After(run)}{Cut(run)}{Refused(run)}"),
        NoResult => With(lastWords, run.Outcome == RunOutcome.Silent
            ? $"exited 0 without printing one event{Printed(run)}"
            : $"exited 0 without a run, {After(run)}{Printed(run)}"),
        Background when run is { Outcome: RunOutcome.Done, HasBackgroundWork: true } =>
            $"ended its run with {OpenWork(run)}{(left.Count > 0 ? $"; {left} had been left and were ended" : "")}",
        Background => $"exited 0 while {left} that it had left worked on; what was left was ended",
        Denied => $"ended its run after {Calls(run)} refused, and no tool call succeeded after that{Reason(run)}",
        Empty => With(lastWords, "ended its run with neither words nor a successful tool call"),
        Blocked => "exited 0 while it waited for an answer nobody gave",
        _ => $"stopped on request {After(run)}",
    });

    private static string OpenWork(RunReport run) => run.BackgroundTasks == 1
        ? $"a background task of its own still open{(run.BackgroundTask is { } only ? $": {only}" : "")}"
        : $"{run.BackgroundTasks} background tasks of its own still open{(run.BackgroundTask is { } first ? $", among them: {first}" : "")}";

    private static string After(in RunReport run) => run.LastEvent is null ? $"without printing an event{Printed(run)}" : $"after {run.LastEvent}";

    private static string Printed(in RunReport run) => run.Signs.Printed is { Length: > 0 } words ? $", only what is no JSON: \"{words}\"" : "";

    private static string Cut(in RunReport run) => run.Signs.IsCut ? "; its last line was cut off" : "";

    private static string Refused(in RunReport run) => run.Signs.EndsDenied ? $", after {Calls(run)} refused{Reason(run)}" : "";

    private static string Calls(in RunReport run)
    {
        var denied = run.Signs.Denied ?? [];
        var calls = denied.Sum(tool => tool.Count);
        return $"{calls} {(calls == 1 ? "call" : "calls")} of {string.Join(", ", denied.Select(tool => tool.Tool))} {(calls == 1 ? "was" : "were")}";
    }

    private static string Reason(in RunReport run) => run.Signs.Denied is [.., { Reason: { Length: > 0 } reason }] ? $": {reason}" : "";

    private static string? Reported(in RunReport run) => run.Signs.Overcome is { } error ? $"it had reported: {error}" : null;

    private static string With(string? lastWords, string message) =>
        string.IsNullOrWhiteSpace(lastWords) ? message : $"{message}: {lastWords.Trim()}";

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();

    // A process that another one ended had no time to say why: its last line is about something else.
    private static string? LastWordsOf(ProcessExit exit, string? lastWords) => exit.Signal is { } signal && Signals.IsOwnFault(signal) ? lastWords : null;

    // An exit code is the shell's word for a signal only where the signal ends a process: others are an agent's own, such as an HTTP status.
    private static string HintFor(int? code) => code is > 128 and < 160 && Signals.EndsByDefault(code.Value - 128) ? $" (128 + {Signals.Name(code.Value - 128)})" : "";
}

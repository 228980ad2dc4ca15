using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Html;

/// <summary>How numbers, times and states are written. Numbers are exact.</summary>
internal static class Words
{
    private const long MicrocentsOfDollar = 100_000_000;

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Plain(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A number of things.</summary>
    public static string Count(long number, string thing) => $"{Number(number)} {thing}{(number == 1 ? "" : "s")}";

    /// <summary>Dollars with all their decimals, two at the least.</summary>
    public static string Money(long microcents) =>
        (microcents < 0 ? "-$" : "$") + (Math.Abs((decimal)microcents) / MicrocentsOfDollar).ToString("#,0.00######", CultureInfo.InvariantCulture);

    public static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";

    public static string Bytes(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return value.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + units[unit];
    }

    public static string Duration(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 0 } => "0s",
        { TotalMilliseconds: < 100 } => $"{time.Milliseconds}ms",
        { TotalSeconds: < 10 } => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + "s",
        { TotalMinutes: < 1 } => $"{time.Seconds}s",
        { TotalHours: < 1 } => $"{time.Minutes}m {time.Seconds:00}s",
        { TotalDays: < 1 } => $"{time.Hours}h {time.Minutes:00}m",
        _ => $"{(int)time.TotalDays}d {time.Hours}h",
    };

    /// <summary>RFC 3339, for the attribute.</summary>
    public static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Of(TaskState state) => state switch
    {
        TaskState.Queued => "queued",
        TaskState.Claimed => "claimed",
        TaskState.Started => "started",
        TaskState.Done => "done",
        TaskState.Failed => "failed",
        _ => "cancelled",
    };

    public static string Of(Activity activity) => activity switch
    {
        Activity.Idle => "idle",
        Activity.Working => "working",
        Activity.Blocked => "blocked",
        Activity.Done => "done",
        _ => "error",
    };

    public static string Of(Lifecycle lifecycle) => lifecycle switch
    {
        Lifecycle.Starting => "starting",
        Lifecycle.Running => "running",
        Lifecycle.Stopping => "stopping",
        _ => "stopped",
    };

    public static string Of(ChangeState state) => state switch
    {
        ChangeState.Open => "open",
        ChangeState.Landed => "landed",
        ChangeState.Discarded => "discarded",
        ChangeState.Conflict => "conflict",
        _ => "empty",
    };

    public static string Of(InboxKind kind) => kind switch
    {
        InboxKind.Question => "question",
        InboxKind.Review => "review",
        InboxKind.Conflict => "conflict",
        InboxKind.Failed => "failed",
        InboxKind.Held => "held",
        InboxKind.NoAgent => "no agent",
        InboxKind.Stalled => "stalled",
        InboxKind.Workspace => "workspace",
        InboxKind.Provider => "provider",
        InboxKind.Budget => "budget",
        InboxKind.Disk => "disk",
        _ => "paused",
    };

    public static string Of(SessionEntryKind kind) => kind switch
    {
        SessionEntryKind.User => "prompt",
        SessionEntryKind.Assistant => "agent",
        SessionEntryKind.ToolCall => "tool call",
        SessionEntryKind.ToolResult => "tool result",
        SessionEntryKind.Question => "question",
        SessionEntryKind.Answer => "answer",
        SessionEntryKind.Usage => "usage",
        SessionEntryKind.Compaction => "compaction",
        SessionEntryKind.Escalation => "escalation",
        _ => "note",
    };

    /// <summary>How a process ended.</summary>
    public static string Of(ProcessExit exit) => exit switch
    {
        { Code: { } code } => $"exit {Plain(code)}",
        { Signal: { } signal } => $"signal {Plain(signal)}",
        _ => "exit status lost",
    };
}

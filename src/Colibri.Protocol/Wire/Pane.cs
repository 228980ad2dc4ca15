using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>What the operator sees of one agent.</summary>
public sealed record Pane
{
    public required string Id { get; init; }

    /// <summary><c>a1</c>, <c>a2</c>, …: taken wherever the id is.</summary>
    public string? Label { get; init; }

    /// <summary>The agent's name: the base name of its binary.</summary>
    public required string Agent { get; init; }

    /// <summary>The dialect it is read in: one of <see cref="Runtimes"/>.</summary>
    public required string Runtime { get; init; }
    public int? Pid { get; init; }
    public required Lifecycle Lifecycle { get; init; }
    public required Activity Activity { get; init; }

    /// <summary>No event for COLIBRI_STALL_AFTER while its process lives.</summary>
    public bool Stalled { get; init; }

    /// <summary>In error, blocked or stalled, or its session is over budget or loses entries.</summary>
    public bool NeedsAttention { get; init; }
    public string? TaskId { get; init; }
    public long? TaskNumber { get; init; }
    public string? SessionId { get; init; }

    /// <summary>Its session is larger than even mode <c>max</c> allows; absent otherwise.</summary>
    public bool? OverBudget { get; init; }

    /// <summary>Entries that its sessions lack: the disk refused them, or they were removed while it ran. Absent where there are none.</summary>
    public long? SessionEntriesDropped { get; init; }

    /// <summary>The id the agent itself gave its session.</summary>
    public string? HarnessSessionId { get; init; }
    public string? Cwd { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? LastEventAt { get; init; }

    /// <summary>The agent's own name for its latest event.</summary>
    public string? LastEvent { get; init; }

    /// <summary>Well-formed lines read.</summary>
    public long Events { get; init; }

    /// <summary>Lines skipped because they were no JSON object, torn, or too long to keep.</summary>
    public long MalformedLines { get; init; }

    /// <summary>Of the malformed ones, those beyond the line limit of 4 MiB.</summary>
    public long OversizeLines { get; init; }
    public long Turns { get; init; }

    /// <summary>Tool calls started.</summary>
    public long Tools { get; init; }

    /// <summary>The tool running now.</summary>
    public string? Tool { get; init; }

    /// <summary>How far the agent's own plan for its run has come; absent where it told none.</summary>
    public PlanProgress? Plan { get; init; }

    /// <summary>The beginning of what it said last in its current run, or in its latest: one line of at most 200 characters. Absent where it said nothing.</summary>
    public string? LastWords { get; init; }
    public Usage Usage { get; init; } = new();

    /// <summary>What its kind does not tell, of <c>usage</c>, <c>cost</c>, <c>turns</c> and <c>refusals</c>: zeros there say nothing. Absent where all is told.</summary>
    public IReadOnlyList<string>? Unknown { get; init; }

    /// <summary>The tools whose calls were refused in its current run, or in its latest; absent where none was.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; init; }

    /// <summary>What it waits for an answer to, while it is blocked on a question that can be answered.</summary>
    public AgentQuestion? Question { get; init; }

    /// <summary>The latest error the agent reported about itself.</summary>
    public string? Error { get; init; }
    public ProcessExit? Exit { get; init; }
}

/// <summary>What an agent is doing, derived from the events it prints.</summary>
[JsonConverter(typeof(KebabEnumConverter<Activity>))]
public enum Activity
{
    Idle,
    Working,

    /// <summary>It asked something and waits for the answer.</summary>
    Blocked,
    Done,
    Error,
}

/// <summary>An agent's process, as the daemon that started it knows it.</summary>
[JsonConverter(typeof(KebabEnumConverter<Lifecycle>))]
public enum Lifecycle
{
    /// <summary>On record, not yet seen to run.</summary>
    Starting,
    Running,

    /// <summary>Asked to end; its process tree is not yet proven gone.</summary>
    Stopping,

    /// <summary>The process and every descendant are gone.</summary>
    Stopped,
}

/// <summary>What a blocked agent asks; <c>answer</c> answers it.</summary>
/// <param name="Request">The agent's id of the question, at most 256 characters.</param>
/// <param name="Method"><c>confirm</c> wants yes or no; <c>select</c>, <c>input</c> and <c>editor</c> want a value.</param>
/// <param name="Title">The question, at most 1,000 characters of it.</param>
/// <param name="Message">More words on it, at most 4,000 characters.</param>
/// <param name="Options">What a <c>select</c> lets choose from, the first 32, at most 256 characters of each.</param>
public sealed record AgentQuestion(string Request, string Method, string? Title = null, string? Message = null, IReadOnlyList<string>? Options = null)
{
    /// <summary>The <c>method</c> of a question whether a tool may be used: it is answered by one of its options, or by yes or no.</summary>
    public const string Permission = "permission";

    private const int MaxNameChars = 256;
    private const int MaxTitleChars = 1_000;
    private const int MaxMessageChars = 4_000;

    /// <summary>All that is asked: title and message, then each option on a line of its own.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Words => string.Join('\n', new[] { Title, Message }.Concat(Options?.Select(option => $"- {option}") ?? []).Where(line => !string.IsNullOrEmpty(line)));

    /// <summary>The question as it is shown. One whose very id had to be shortened cannot be answered.</summary>
    /// <param name="excerpt">Shortens a text to so many characters.</param>
    public AgentQuestion Shortened(Func<string, int, string> excerpt)
    {
        ArgumentNullException.ThrowIfNull(excerpt);
        return new AgentQuestion(
            excerpt(Request, MaxNameChars),
            excerpt(Method, MaxNameChars),
            Title is null ? null : excerpt(Title, MaxTitleChars),
            Message is null ? null : excerpt(Message, MaxMessageChars),
            Options?.Select(option => excerpt(option, MaxNameChars)).ToList());
    }
}

/// <summary>How a process ended: one of the two is set, or neither where the exit status was lost.</summary>
/// <param name="Code">Exit status, 0 to 255.</param>
/// <param name="Signal">The signal's number on this host.</param>
public sealed record ProcessExit(int? Code = null, int? Signal = null);

/// <summary>How far an agent's own plan for its run has come.</summary>
/// <param name="Done">Steps that it calls completed.</param>
/// <param name="Total">All steps of the plan as it stands.</param>
/// <param name="Current">The first step that it is at, in one line of at most 200 characters; absent where it is at none.</param>
public sealed record PlanProgress(int Done, int Total, string? Current = null);

using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Settings;
using Colibri.Protocol;

namespace Colibri.Core.Agents.Kinds;

/// <summary>All that Colibri knows of one kind of agent: how it is started, prompted and read, and which deadlines apply to it.</summary>
public sealed record AgentProfile
{
    /// <summary>The runtime's name: the pane's <c>runtime</c>, and by default the binary's base name.</summary>
    public required string Name { get; init; }

    /// <summary>The name under which its program is looked for.</summary>
    public string ProgramName => Runtimes.ProgramOf(Name);

    /// <summary>
    /// Whether what a program prints on <c>--version</c>, without what a terminal acts on, is this kind's, as real programs were seen to answer. Another
    /// product of the same name is told apart by it. Null where nobody has seen the kind answer.
    /// </summary>
    public Func<string, bool>? Recognises { get; init; }

    /// <summary>Where it keeps a login of its own; null where nobody knows of one.</summary>
    public KindLogin? Login { get; init; }

    /// <summary>How its events are read.</summary>
    public required IDialect Dialect { get; init; }

    /// <summary>The provider that it uses by default; null if that is unknown.</summary>
    public string? Provider { get; init; }

    /// <summary>What its commands are called, where a long-lived agent takes such; null where it takes none.</summary>
    public CommandNames? Commands { get; init; }

    /// <summary>The providers it can be started on; null for any. It gets their keys and no others.</summary>
    public IReadOnlyList<string>? Providers { get; init; }

    /// <summary>Arguments for one task, where the operator gives none.</summary>
    public IReadOnlyList<string> TaskArguments { get; init; } = [];

    /// <summary>Arguments for a long-lived agent on standard input, where the operator gives none; null where the kind has no such mode.</summary>
    public IReadOnlyList<string>? RpcArguments { get; init; }

    /// <summary>The option that takes the prompt as its value and stands before it; null where the prompt is an argument of its own.</summary>
    public string? PromptOption { get; init; }

    /// <summary>Whether it takes an argument without a blank for the name of a command: a prompt of one word gets one behind it.</summary>
    public bool PromptNeedsBlank { get; init; }

    /// <summary>Whether it asks questions in its RPC mode, which are answered there. By ACP and in the duplex mode every kind does.</summary>
    public bool AsksByRpc { get; init; }

    /// <summary>
    /// The arguments that stand in the prompt's place when it goes to standard input, which is then closed; null where the kind reads none there.
    /// </summary>
    public IReadOnlyList<string>? PromptByInput { get; init; }

    /// <summary>Arguments that start it as a server of the Agent Client Protocol on its standard input and output; null where it has no such mode.</summary>
    public IReadOnlyList<string>? AcpArguments { get; init; }

    /// <summary>The program that speaks that protocol for it, where the kind's own does not; null where it does.</summary>
    public string? AcpProgram { get; init; }

    /// <summary>How its way of speaking that protocol differs.</summary>
    public AcpManners AcpManners { get; init; } = new();

    /// <summary>
    /// Arguments for a long-lived agent that takes Claude's messages as JSON lines and asks for permissions there; null where the kind has no such mode.
    /// </summary>
    public IReadOnlyList<string>? DuplexArguments { get; init; }

    /// <summary>How its way of taking messages there differs.</summary>
    public DuplexManners DuplexManners { get; init; } = new(Initializes: false, static _ => ToolNature.Other);

    /// <summary>How it is told things once it lives: by the arguments of its start alone, or by one of the transports.</summary>
    public Transport Transport { get; init; }

    /// <summary>Whether it asks Colibri for its permissions, which the access of a run then answers.</summary>
    public bool IsAnswered => Transport is Transport.Acp or Transport.Duplex;

    /// <summary>Whether it can go on in an earlier session of its own, by arguments or by its transport.</summary>
    public bool CanResume => Transport == Transport.Acp || ResumeArguments is not null;

    /// <summary>The transports that it can be started with.</summary>
    public IEnumerable<Transport> Transports => Enum.GetValues<Transport>().Where(transport => transport switch
    {
        Transport.Commands => Commands is not null && RpcArguments is not null,
        Transport.Duplex => DuplexArguments is not null,
        Transport.Acp => AcpArguments is not null,
        _ => !AlwaysRpc,
    });

    /// <summary>Variables that each of its agents gets, unless a request states others: they keep it one process, silent and at home.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What its events tell. What they do not tell is shown as unknown.</summary>
    public KindTells Tells { get; init; } = new();

    /// <summary>Arguments that choose a provider and a model; either may be null.</summary>
    public Func<string?, string?, IReadOnlyList<string>> ModelArguments { get; init; } = static (_, _) => [];

    /// <summary>Whether the kind has no one-shot mode: its prompt always goes to standard input.</summary>
    public bool AlwaysRpc { get; init; }

    /// <summary>
    /// Whether it prints events from its start on: then the deadlines on the first event and on silence apply, and an end without an event is a
    /// crash. Otherwise only the deadline on the whole run applies, and its exit code is its verdict.
    /// </summary>
    public bool PrintsEvents { get; init; } = true;

    /// <summary>When it tells what its tokens cost.</summary>
    public CostReport Cost { get; init; }

    /// <summary>Whether arguments take up an earlier session, so that totals of the session include what earlier runs have used.</summary>
    public Func<IReadOnlyList<string>, bool> Resumes { get; init; } = static _ => false;

    /// <summary>
    /// Arguments that take up a session of its own, by its id, the last before the prompt; null where the kind cannot, or keeps no sessions as it is started
    /// here.
    /// </summary>
    public Func<string, IReadOnlyList<string>>? ResumeArguments { get; init; }

    /// <summary>Arguments that give its session an id at its start; null where the kind takes none.</summary>
    public Func<string, IReadOnlyList<string>>? SessionArguments { get; init; }

    /// <summary>The file in which it tells at its end what it has used; null where its events tell that, or nothing does.</summary>
    public UsageFile? UsageFile { get; init; }

    /// <summary>What it sets for its own children; null where nobody knows of any.</summary>
    public ChildVariables? ChildVariables { get; init; }

    /// <summary>The refused call that a line of its standard error tells of, where its events do not; null for a kind that has no such lines.</summary>
    public Func<string, ToolRefusal?>? RefusalIn { get; init; }

    /// <summary>The words in a line of its standard error that is no text; null for a line that is one, and where all are.</summary>
    public Func<string, string?>? WordsIn { get; init; }

    /// <summary>How an access is mapped to its own arguments and variables.</summary>
    public KindRights Rights { get; init; } = KindRights.None;

    /// <summary>The profile with which it is started over a transport.</summary>
    /// <exception cref="ArgumentException">The kind does not have it.</exception>
    public AgentProfile Over(Transport transport) => transport switch
    {
        Transport.Duplex when DuplexArguments is { } arguments => this with { Transport = transport, RpcArguments = arguments, AlwaysRpc = true, PromptByInput = null },
        Transport.Acp when AcpArguments is { } arguments => this with
        {
            Transport = transport,
            RpcArguments = arguments,
            AlwaysRpc = true,
            PromptByInput = null,
            // The transport takes sessions up, and begins them, by requests.
            ResumeArguments = null,
            SessionArguments = null,
            Resumes = static _ => false,
            RefusalIn = null,
            ModelArguments = AcpManners.ModelByArgument ? ModelArguments : static (_, _) => [],
            Rights = AcpRights.Of(AcpManners),
            Cost = AcpManners.TellsCost ? CostReport.Live : CostReport.Never,
            Tells = new KindTells { Usage = AcpManners.TellsLastRequestAlone ? UsageReporting.Never : AcpManners.Usage, Turns = false, TokenLimit = AcpManners.TellsTokenLimit },
        },
        Transport.Commands when Commands is not null => this with { Transport = transport, AlwaysRpc = true },
        Transport.None => this,
        _ => throw new ArgumentException($"{Name} cannot be started with transport {TransportNames.Of(transport)}; it has {string.Join(", ", Transports.Select(TransportNames.Of))}"),
    };

    /// <summary>An option and its value; nothing where there is none.</summary>
    internal static IReadOnlyList<string> Flag(string name, string? value) => value is null ? [] : [name, value];
}

/// <summary>A tool call that was refused.</summary>
/// <param name="Tool">The tool.</param>
/// <param name="Reason">Why, in the agent's words.</param>
public sealed record ToolRefusal(string Tool, string Reason);

/// <summary>What the events of a kind tell, as seen in recordings of it.</summary>
public sealed record KindTells
{
    /// <summary>When it tells how many tokens it used.</summary>
    public UsageReporting Usage { get; init; } = UsageReporting.Live;

    /// <summary>Each request to its model shows, so that turns can be counted.</summary>
    public bool Turns { get; init; } = true;

    /// <summary>A tool call that was refused is told apart from one that failed.</summary>
    public bool Refusals { get; init; } = true;

    /// <summary>An answer that the token limit cut shows.</summary>
    public bool TokenLimit { get; init; } = true;

    /// <summary>The failure of its provider shows in its events, and not in words or in the exit code alone.</summary>
    public bool Failures { get; init; } = true;

    /// <summary>What of a pane is not known unless something else tells it: of <c>usage</c>, <c>cost</c>, <c>turns</c>, <c>refusals</c>.</summary>
    /// <param name="cost">When the kind tells what its tokens cost.</param>
    public IReadOnlyList<string> Unknown(CostReport cost) =>
    [
        .. Usage is UsageReporting.InAFile or UsageReporting.Never ? (string[])[PaneIdentity.UsageField] : [],
        .. cost == CostReport.Never ? (string[])[PaneIdentity.CostField] : [],
        .. Turns ? (string[])[] : ["turns"],
        .. Refusals ? (string[])[] : ["refusals"],
    ];
}

/// <summary>The file in which a kind of agent tells at its end what it has used.</summary>
/// <param name="Arguments">Those that name it the file's path. They stand before all others.</param>
/// <param name="Read">What the agent's session has used so far, by model, as the file's content tells it; null where that tells nothing.</param>
public sealed record UsageFile(Func<string, IReadOnlyList<string>> Arguments, Func<byte[], IReadOnlyList<ModelUsage>?> Read);

/// <summary>When a kind of agent tells how many tokens it used.</summary>
public enum UsageReporting
{
    /// <summary>With each message or request.</summary>
    Live,

    /// <summary>With its last word.</summary>
    AtItsEnd,

    /// <summary>In a file, once it has ended.</summary>
    InAFile,
    Never,
}

/// <summary>When a kind of agent tells what its tokens cost.</summary>
public enum CostReport
{
    /// <summary>With each message, or it has nothing to tell.</summary>
    Live,

    /// <summary>With its last word.</summary>
    AtItsEnd,
    Never,
}

/// <summary>What an agent harness sets for its own children.</summary>
/// <param name="Prefix">What the names of all its variables begin with, its settings' too.</param>
/// <param name="Names">Those for its children alone, under whatever name.</param>
public sealed record ChildVariables(string Prefix, IReadOnlyList<string> Names);

/// <summary>
/// The kinds of agent Colibri knows. A new one is a file beside this, a line here, its name in <see cref="Runtimes"/>, and a recording of what it
/// prints.
/// </summary>
public static class AgentProfiles
{
    private static readonly AgentProfile[] Known =
    [
        Pi.Profile,
        Zot.Profile,
        Claude.Profile,
        Codex.Profile,
        Opencode.Profile,
        Gemini.Profile,
        Qwen.Profile,
        Copilot.Profile,
        Cline.Profile,
        Goose.Profile,
        Droid.Profile,
        Cursor.Profile,
        Amp.Profile,
        Acp.Profile,
    ];

    /// <summary>Every kind, <c>local</c> included.</summary>
    public static IReadOnlyList<AgentProfile> All { get; } = [.. Known, Local.Profile];

    /// <summary>The kinds that have a program of their own, which can be looked for: every one but <c>local</c>.</summary>
    public static IReadOnlyList<AgentProfile> Startable => Known;

    /// <summary>Every runtime's name.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(profile => profile.Name)];

    /// <summary>As <see cref="For(string?, string?)"/>, started over a transport where one is chosen.</summary>
    /// <exception cref="ArgumentException">The kind does not have it.</exception>
    public static AgentProfile For(string? runtime, string? binary, Transport? transport) =>
        transport is { } chosen ? For(runtime, binary).Over(chosen) : For(runtime, binary);

    /// <summary>By runtime where a known one is stated, else by the binary's base name, else one that prints Pi's events and has no defaults.</summary>
    /// <param name="runtime">One of <see cref="Names"/>, or null.</param>
    /// <param name="binary">The program's path or name; null where it is not known.</param>
    public static AgentProfile For(string? runtime, string? binary) =>
        runtime == Local.Profile.Name ? Local.Profile : Named(runtime) ?? OfProgram(Path.GetFileName(binary)) ?? Pi.Lookalike;

    /// <summary>Whether a stated runtime is one of <see cref="Names"/>.</summary>
    public static bool IsKnown(string runtime) => Names.Contains(runtime);

    /// <summary>The kind of that name; null where there is none.</summary>
    public static AgentProfile? Find(string name) => All.FirstOrDefault(profile => profile.Name == name);

    private static AgentProfile? OfProgram(string? program) => Array.Find(Known, profile => profile.ProgramName == program);

    private static AgentProfile? Named(string? name) => Array.Find(Known, profile => profile.Name == name);
}

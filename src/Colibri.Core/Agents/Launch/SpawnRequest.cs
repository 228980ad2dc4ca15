using Colibri.Core.Agents.Kinds;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Launch;

/// <summary>An agent to start.</summary>
public sealed record SpawnRequest
{
    /// <summary>A bare program name, or an absolute path.</summary>
    public required string Binary { get; init; }

    /// <summary>One of <see cref="AgentProfiles.Names"/>; null follows the binary's base name.</summary>
    public string? Runtime { get; init; }

    /// <summary>How it is told things; null follows from <see cref="Rpc"/>, the arguments and the kind.</summary>
    public Transport? Transport { get; init; }

    /// <summary>What is known of its kind, started so.</summary>
    /// <exception cref="ArgumentException">The kind does not have that transport.</exception>
    public AgentProfile Kind => AgentProfiles.For(Runtime, Binary, Transport);
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary>Whether provider or model are chosen already, by the request or in its arguments.</summary>
    public bool StatesProvider => Provider is not null || Model is not null
        || Arguments.Concat(ExtraArguments).Any(argument => argument is "--provider" or "--model" or "-m" || argument.StartsWith("--provider=", StringComparison.Ordinal)
            || argument.StartsWith("--model=", StringComparison.Ordinal));

    /// <summary>How to confine it; null runs it as the daemon runs.</summary>
    public JailRequest? Jail { get; init; }

    /// <summary>The task to claim for it and to run to its verdict.</summary>
    public string? TaskId { get; init; }

    /// <summary>
    /// The session to log to; null uses the task's, or a new one. A retry goes on in the task's session, so the story of a task is in one place.
    /// </summary>
    public string? SessionId { get; init; }

    /// <summary>Absolute; null is the daemon's own.</summary>
    public string? Cwd { get; init; }

    /// <summary>Added to the daemon's environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether to keep standard input; null follows from the arguments.</summary>
    public bool? Rpc { get; init; }

    /// <summary>The prompt; null with a task means its title and description.</summary>
    public string? Prompt { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Whether it has a capability; null follows <see cref="Capabilities"/>.</summary>
    public Predicate<string>? Offers { get; init; }

    /// <summary>Whether a long-lived agent takes further tasks once its task is done, while there are any.</summary>
    public bool TakesTasks { get; init; }

    /// <summary>Behind <see cref="Arguments"/> or the kind's own, and before the prompt.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];

    /// <summary>What its runs may do, by the kind's own flags; null leaves that to the kind and the operator's settings of it.</summary>
    public Access? Access { get; init; }

    /// <summary>Whether nobody has stated <see cref="Access"/>, so that it is the daemon's default.</summary>
    public bool IsAccessDefault { get; init; }

    /// <summary>Whether its program is the one that the search path has for its kind. A program that is stated by its path, or with arguments, may be anything.</summary>
    internal bool IsOfKind => AgentProfiles.For(Runtime, Binary) is { PrintsEvents: true } kind && Binary == kind.ProgramName && Arguments.Count == 0;

    /// <summary>Whether its program bears the name that its kind's has, wherever it is.</summary>
    internal bool IsNamedAsKind => AgentProfiles.For(Runtime, Binary) is { PrintsEvents: true } kind && Path.GetFileName(Binary) == kind.ProgramName && Arguments.Count == 0;

    /// <summary>What its runs are held to: stated arguments stand in place of the kind's flags for it, and not of the answers to its permissions.</summary>
    public Access? HeldAccess => Access is { } access && (Arguments.Count == 0 || Kind.IsAnswered) ? access : null;

    /// <summary>The tenant of its task, in whose root it is confined; null without one.</summary>
    public string? Tenant { get; init; }

    /// <summary>Variables of the daemon or its key file that the agent gets although they are keys.</summary>
    public IReadOnlyList<string> PassedEnvironment { get; init; } = [];

    /// <summary>The profile of the configuration that it stands for; null without one.</summary>
    public ProfileSettings? Profile { get; init; }

    /// <summary>The request without the fields that may hold megabytes.</summary>
    internal SpawnRequest WithoutWords() => this with { Arguments = [], Prompt = null, Environment = new Dictionary<string, string>() };

    /// <summary>Whether it also lives on without tasks, and after a failed run.</summary>
    public bool IsKept { get; init; }
}

using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Kinds;

/// <summary>What the runs of a kind of agent may do, by <see cref="Access"/>: the kind's own arguments and variables for it, and one line about it.</summary>
public sealed record KindRights
{
    private const string All = "does all that its user may";

    /// <summary>Of a kind that has no rights of its own.</summary>
    public static KindRights None { get; } = Unheld("it has");

    public required AccessRights Read { get; init; }
    public required AccessRights Edit { get; init; }
    public AccessRights Full { get; init; } = new(All);

    /// <summary>The arguments that hold a run to an access. They stand before model and prompt, and none of them takes the word after it.</summary>
    /// <param name="access">The access.</param>
    /// <param name="isRpc">For a long-lived agent.</param>
    public IReadOnlyList<string> Arguments(Access access, bool isRpc) => isRpc && Of(access).RpcArguments is { } rpc ? rpc : Of(access).Arguments;

    /// <summary>Variables that belong to them. What a request states itself wins over these.</summary>
    public IReadOnlyDictionary<string, string> Environment(Access access) => Of(access).Environment;

    /// <summary>What such a run may do, or why the kind cannot hold it, in one line without a subject.</summary>
    public string Words(Access access) => Of(access).Words;

    /// <summary>Whether the kind keeps a run from what its access does not allow. Full access allows everything.</summary>
    public bool Holds(Access access) => Of(access).IsHeld;

    /// <summary>Why the kind would not start with that access, and what to do, in one line; null where it would.</summary>
    /// <param name="access">The access.</param>
    /// <param name="uid">The user it would run as.</param>
    /// <param name="variable">The value of a variable that it would find; null knows none.</param>
    public string? WhyNot(Access access, uint uid, Func<string, string?>? variable = null) =>
        uid == 0 && Of(access).RootNeeds is { } needs && variable?.Invoke(needs.Variable) != needs.Value ? needs.Words : null;

    /// <summary>Of a kind that cannot be held.</summary>
    /// <param name="subject">Who has no rights of its own, with its verb.</param>
    internal static KindRights Unheld(string subject)
    {
        var unheld = new AccessRights($"cannot be held: {subject} no rights of its own, so it may do all that its user may; confine it") { IsHeld = false };
        return new KindRights { Read = unheld, Edit = unheld };
    }

    private AccessRights Of(Access access) => access switch
    {
        Access.Read => Read,
        Access.Edit => Edit,
        Access.Full => Full,
        _ => throw new ArgumentOutOfRangeException(nameof(access), access, "no access"),
    };
}

/// <summary>One access of one kind.</summary>
/// <param name="Words">What a run may do, or why the kind cannot hold it.</param>
/// <param name="Arguments">The kind's own; none where there are none for it.</param>
public sealed record AccessRights(string Words, params IReadOnlyList<string> Arguments)
{
    /// <summary>For a long-lived agent, where they differ.</summary>
    public IReadOnlyList<string>? RpcArguments { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public bool IsHeld { get; init; } = true;

    /// <summary>What the kind wants to see before it runs so as root; null where it does not mind.</summary>
    public RootCondition? RootNeeds { get; init; }
}

/// <summary>Without this variable a kind refuses to run as root.</summary>
/// <param name="Variable">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="Words">The refusal, and what to do.</param>
public sealed record RootCondition(string Variable, string Value, string Words);

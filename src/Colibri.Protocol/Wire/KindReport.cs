namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>list-kinds</c>.</summary>
/// <param name="Kinds">In the protocol's order, without <c>local</c>.</param>
public sealed record KindList(IReadOnlyList<KindReport> Kinds);

/// <summary>A kind of agent: where it is installed, how it is spoken to, what it tells and can, and what holds it.</summary>
public sealed record KindReport
{
    /// <summary>The value of <c>runtime</c>, and of a profile's <c>kind</c>.</summary>
    public required string Name { get; init; }
    public required string Title { get; init; }

    /// <summary>True where Colibri knows it from its documents alone; else absent.</summary>
    public bool? DocumentedOnly { get; init; }

    /// <summary>The name under which it is looked for.</summary>
    public required string Program { get; init; }

    /// <summary>Where it is on the daemon's search path; absent where it is not.</summary>
    public string? Path { get; init; }

    /// <summary>In its own words; absent where it is not there, or did not say.</summary>
    public string? Version { get; init; }

    /// <summary>Why what is there cannot be used; absent where it can.</summary>
    public string? Problem { get; init; }

    /// <summary>How it is spoken to: <c>print</c>, <c>rpc</c>, <c>duplex</c>, <c>acp</c>.</summary>
    public required IReadOnlyList<string> Transports { get; init; }

    /// <summary>What it is started with for one task where no arguments are stated; rights, model and prompt follow.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }
    public required KindTold Tells { get; init; }

    /// <summary>Some of <c>resume</c>, <c>steer</c>, <c>answer</c>, <c>cancel</c>.</summary>
    public required IReadOnlyList<string> Can { get; init; }

    /// <summary>What each access becomes: <c>read</c>, <c>edit</c>, <c>full</c>. Over the first of its transports.</summary>
    public required IReadOnlyList<KindAccess> Access { get; init; }

    /// <summary>What an access becomes over the others, where that differs; absent where nothing does.</summary>
    public IReadOnlyList<KindAccessOver>? AccessOver { get; init; }

    /// <summary>The profiles of the configuration that are of this kind.</summary>
    public required IReadOnlyList<KindProfile> Profiles { get; init; }
}

/// <summary>What the events of a kind tell.</summary>
/// <param name="Usage">When it tells its tokens: <c>live</c>, <c>at-its-end</c>, <c>in-a-file</c>, <c>never</c>.</param>
/// <param name="Cost">When it tells what they cost: <c>live</c>, <c>at-its-end</c>, <c>never</c>.</param>
/// <param name="Turns">Its turns can be counted.</param>
/// <param name="Refusals">A refused call is told apart from a failed one.</param>
/// <param name="TokenLimit">An answer that the token limit cut shows.</param>
/// <param name="Failures">A failure of its provider shows.</param>
public sealed record KindTold(string Usage, string Cost, bool Turns, bool Refusals, bool TokenLimit, bool Failures);

/// <summary>What an access becomes.</summary>
/// <param name="Access">The access.</param>
/// <param name="Held">Whether the kind keeps a run to it; of <c>full</c> there is nothing to keep.</param>
/// <param name="Words">What a run may then do, or why the kind cannot hold it.</param>
public sealed record KindAccess(string Access, bool Held, string Words);

/// <summary>What an access becomes over a transport.</summary>
/// <param name="Transport">The transport.</param>
/// <param name="Access">The access.</param>
/// <param name="Held">As in <see cref="KindAccess"/>.</param>
/// <param name="Words">As there.</param>
public sealed record KindAccessOver(string Transport, string Access, bool Held, string Words);

/// <summary>A profile of a kind.</summary>
public sealed record KindProfile
{
    public required string Name { get; init; }

    /// <summary>Its program, where that is another than the kind's: as stated.</summary>
    public string? Binary { get; init; }

    /// <summary>Where that is; absent where it is not there.</summary>
    public string? Path { get; init; }
    public string? Version { get; init; }

    /// <summary>What its runs may do; absent where its own arguments decide it.</summary>
    public string? Access { get; init; }

    /// <summary>Why it takes no tasks, or what is not as it looks; absent where there is nothing to say.</summary>
    public string? Problem { get; init; }
}

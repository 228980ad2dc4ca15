namespace Colibri.Posix.Jails;

/// <summary>
/// The command line of the exec trampoline, which turns its own process into an agent's: into a jail, another user, the staged
/// environment. Written by the daemon and read by itself, started anew: <c>--jail-exec [--enter NAME | --create NAME --ip4 IP4]
/// [--root DIR --stage DIR --name NAME] [--ids UID:GID:GROUPS] -- PROGRAM [ARGUMENT…]</c>.
/// </summary>
public sealed record JailExecArguments
{
    /// <summary>The first argument that makes the daemon's program a trampoline.</summary>
    public const string Verb = "--jail-exec";

    /// <summary>The jail that is there already and is entered.</summary>
    public string? Enter { get; init; }

    /// <summary>The jail that is made, and lasts as long as a process is in it.</summary>
    public string? Create { get; init; }

    /// <summary>Of the jail that is made.</summary>
    public JailNetwork Network { get; init; } = JailNetwork.Inherit;

    /// <summary>The jail's root as the host sees it; the made one gets it.</summary>
    public string? Root { get; init; }

    /// <summary>Where environment and working directory are left, as seen inside; null keeps those of this process.</summary>
    public string? Stage { get; init; }

    /// <summary>The name they are left under.</summary>
    public string? Name { get; init; }

    /// <summary>Who it becomes; null stays who it is.</summary>
    public UserIds? Ids { get; init; }

    /// <summary>Absolute path of the program, inside.</summary>
    public required string Program { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The command line, without the daemon's own path.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        List<string> words = [Verb];
        Add("--enter", Enter);
        Add("--create", Create);
        Add("--ip4", Create is null ? null : Network.Text);
        Add("--root", Root);
        Add("--stage", Stage);
        Add("--name", Name);
        Add("--ids", Ids?.ToString());
        return [.. words, "--", Program, .. Arguments];

        void Add(string option, string? value)
        {
            if (value is not null)
                words.AddRange([option, value]);
        }
    }

    /// <summary>Reads what follows <see cref="Verb"/>.</summary>
    /// <exception cref="ArgumentException">It is no such command line; the message says what is wrong.</exception>
    public static JailExecArguments Parse(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        var parsed = new JailExecArguments { Program = "" };
        for (var i = 0; i < words.Count; i += 2)
        {
            if (words[i] == "--")
            {
                if (i + 1 >= words.Count || !words[i + 1].StartsWith('/'))
                    throw new ArgumentException("an absolute path to execute must follow --");
                return (parsed with { Program = words[i + 1], Arguments = [.. words.Skip(i + 2)] }).Checked();
            }
            if (i + 1 >= words.Count)
                throw new ArgumentException($"{words[i]} needs a value");
            parsed = parsed.With(words[i], words[i + 1]);
        }
        throw new ArgumentException("nothing to execute: -- PROGRAM is missing");
    }

    private JailExecArguments With(string option, string value) => option switch
    {
        "--enter" => this with { Enter = value },
        "--create" => this with { Create = value },
        "--ip4" => this with { Network = JailNetwork.Parse(value) ?? throw new ArgumentException($"--ip4 {value} is no address") },
        "--root" => this with { Root = value },
        "--stage" => this with { Stage = value },
        "--name" => this with { Name = value },
        "--ids" => this with { Ids = UserIds.Parse(value) ?? throw new ArgumentException($"--ids {value}: not UID:GID:GROUPS") },
        _ => throw new ArgumentException($"unknown option {option}"),
    };

    private JailExecArguments Checked()
    {
        if (Enter is not null && Create is not null)
            throw new ArgumentException("--enter and --create exclude each other");
        if (Root is null && (Create is not null || Stage is not null))
            throw new ArgumentException("--create and --stage need --root");
        return (Stage is null) == (Name is null) ? this : throw new ArgumentException("--stage and --name go together");
    }
}

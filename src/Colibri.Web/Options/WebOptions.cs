namespace Colibri.Web.Options;

/// <summary>What the command line asks for.</summary>
internal sealed record WebOptions
{
    public required WebAction Action { get; init; }
    public ListenAddress Listen { get; init; } = ListenAddress.Parse(ListenAddress.Default)!;

    /// <summary>The daemon's socket; null for the one that the CLI finds.</summary>
    public string? Socket { get; init; }

    /// <summary>Actions are taken, with the token.</summary>
    public bool Write { get; init; }

    /// <summary>Reading takes the token too.</summary>
    public bool ReadToken { get; init; }

    /// <summary>Null for the user's own.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Further names under which a browser may ask.</summary>
    public IReadOnlyList<HostName> AllowedHosts { get; init; } = [];

    /// <summary>The name of the TLS proxy in front.</summary>
    public HostName? BehindProxy { get; init; }

    /// <summary>The address of a collector of traces on this machine; null where the environment says, or none are sent.</summary>
    public string? Otlp { get; init; }

    /// <summary>Only of <see cref="WebAction.Refuse"/>: what is wrong, in one line.</summary>
    public string? Problem { get; init; }

    /// <summary>Who comes through a proxy comes from anywhere, so reading takes the token there.</summary>
    public bool ReadsNeedToken => ReadToken || BehindProxy is not null;

    public bool NeedsToken => Write || ReadsNeedToken;
}

internal enum WebAction
{
    Serve,
    Version,
    Help,
    Refuse,
}

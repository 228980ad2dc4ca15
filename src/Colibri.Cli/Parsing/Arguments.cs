using System.Globalization;
using System.Text;
using Colibri.Protocol;

namespace Colibri.Cli.Parsing;

/// <summary>What was said to one command, by option name; a positional stands under its option's.</summary>
internal sealed class Arguments(
    string command, IReadOnlyDictionary<string, IReadOnlyList<string>> values, IReadOnlyList<string> rest, CliHost host)
{
    /// <summary>Everything after <c>--</c>; null where nothing was there.</summary>
    public IReadOnlyList<string>? Rest => rest.Count == 0 ? null : rest;

    /// <summary>The folder the CLI runs in; null where that is gone.</summary>
    public string? CurrentDirectory => host.CurrentDirectory;

    public bool Flag(string option) => values.ContainsKey(option);

    /// <summary>For a wire field that is absent unless it is true.</summary>
    public bool? FlagOrAbsent(string option) => Flag(option) ? true : null;

    public string? Text(string option) => values.TryGetValue(option, out var said) ? said[^1] : null;

    public IReadOnlyList<string>? Many(string option) => values.GetValueOrDefault(option);

    /// <summary>The value of an option that the parser has seen to be there.</summary>
    public string Required(string option) => Text(option) ?? throw Wrong($"{option} is needed");

    /// <summary>The value, or all of standard input where that is <c>-</c>.</summary>
    public string? TextOrStdin(string option)
    {
        if (Text(option) is not "-")
            return Text(option);
        var text = new StringBuilder();
        var chunk = new char[8192];
        for (int read; (read = ReadStdin(option, chunk)) > 0;)
        {
            text.Append(chunk, 0, read);
            if (text.Length > ProtocolLimits.MaxLineBytes)
                throw Wrong($"{option} - reads more than {ProtocolLimits.MaxLineBytes / (1024 * 1024)} MiB, which no request may carry");
        }
        return text.ToString();
    }

    private int ReadStdin(string option, char[] chunk)
    {
        try
        {
            return host.Stdin.Read(chunk, 0, chunk.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"{option} - cannot read standard input: {e.Message}");
        }
    }

    public int? Number(string option) => Text(option) is not { } said ? null
        : int.TryParse(said, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw Wrong($"{option} '{said}' is not a whole number");

    public long? LongNumber(string option) => Text(option) is not { } said ? null
        : long.TryParse(said, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
        : throw Wrong($"{option} '{said}' is not a whole number");

    /// <summary>Seconds, decimals allowed, up to 30 days: timers end soon after that.</summary>
    public TimeSpan? Seconds(string option) => Text(option) is not { } said ? null
        : double.TryParse(said, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 30 * 86_400
            ? TimeSpan.FromSeconds(seconds)
            : throw Wrong($"{option} '{said}' is not a number of seconds");

    /// <summary><c>NAME=VALUE</c> pairs; the last one of a name counts.</summary>
    public IReadOnlyDictionary<string, string>? Pairs(string option)
    {
        if (Many(option) is not { } said)
            return null;
        var pairs = new Dictionary<string, string>();
        foreach (var pair in said)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw Wrong($"{option} '{pair}' is not NAME=VALUE");
            pairs[pair[..equals]] = pair[(equals + 1)..];
        }
        return pairs;
    }

    /// <summary>
    /// A path as the daemon must see it: its folder is not ours, so a relative one is taken from here. A bare name stays: the daemon
    /// looks it up on its PATH.
    /// </summary>
    public string Program(string option)
    {
        var path = Required(option);
        return path.Contains('/', StringComparison.Ordinal) ? FromHere(path) : path;
    }

    /// <summary>A folder as the daemon must see it; null where the option was not given.</summary>
    public string? Folder(string option) => Text(option) is { } path ? FromHere(path) : null;

    public UsageException Wrong(string message) => new(message, command);

    // Not normalised beyond a leading "./": a ".." after a symbolic link must be resolved by the system, not by its spelling.
    private string FromHere(string path)
    {
        if (path.StartsWith('/') || CurrentDirectory is not { } here)
            return path;
        while (path.StartsWith("./", StringComparison.Ordinal))
            path = path[2..].TrimStart('/');
        return path is "" or "." ? here : Path.Combine(here, path);
    }
}

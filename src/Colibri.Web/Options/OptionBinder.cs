using ConsoleAppFramework;

namespace Colibri.Web.Options;

/// <summary>
/// The only code of this program that knows ConsoleAppFramework. The bound method only records what was said, because inside the framework the work
/// would lose every exception and the exit code.
/// </summary>
internal sealed class OptionBinder
{
    // The setting is global to the process. Every value is a text here, so an error is a fault of ours.
    static OptionBinder() => ConsoleApp.LogError = static message => throw new InvalidOperationException(message);

    private SaidOptions? _said;

    public static SaidOptions Bind(List<string> words)
    {
        var binder = new OptionBinder();
        // The framework searches all words up to the first "--", values included, for its own --help. So "--" comes first.
        ConsoleApp.Run(["--mark", "--", .. words], binder.Take);
        return binder._said!;
    }

    private void Take(string mark, string? listen = null, string? socket = null, bool write = false, bool readToken = false, string? tokenFile = null,
        string? allowHosts = null, string? behindProxy = null, string? otlp = null) =>
        _said = new SaidOptions(listen, socket, write, readToken, tokenFile, allowHosts?.Split(OptionParser.Separator) ?? [], behindProxy, otlp);
}

/// <summary>The options as texts.</summary>
internal sealed record SaidOptions(string? Listen, string? Socket, bool Write, bool ReadToken, string? TokenFile, string[] AllowHosts, string? BehindProxy, string? Otlp);

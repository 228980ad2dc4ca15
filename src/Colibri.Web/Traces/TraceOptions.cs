using System.Net;

namespace Colibri.Web.Traces;

/// <summary>Where traces go, and under which name.</summary>
/// <param name="Collector">The address of a collector on this machine.</param>
/// <param name="Path">The path of its traces.</param>
/// <param name="Headers">Further header fields. Their values may be secrets.</param>
/// <param name="Service">The name of the service that the spans are of.</param>
internal sealed record TraceOptions(IPEndPoint Collector, string Path, IReadOnlyList<(string Name, string Value)> Headers, string Service)
{
    public const string Switch = "COLIBRI_WEB_OTLP";
    private const string DefaultBase = "http://127.0.0.1:4318";
    private const string DefaultService = "colibri";
    private const string TracesPath = "/v1/traces";
    private const int LongestService = 256;
    private const int MostHeaders = 32;
    private const int LongestHeaders = 8 * 1024;

    /// <summary>The address, for a person.</summary>
    public string Address => $"http://{Collector}{Path}";

    /// <summary>
    /// Reads the switch and the variables that OpenTelemetry names for an exporter. The variables alone switch nothing on: they are often set for a
    /// whole machine.
    /// </summary>
    /// <param name="said">The value of --otlp.</param>
    /// <param name="environment">A variable's value.</param>
    /// <returns>The options, or what is wrong with them in one line. Neither where no traces are wanted.</returns>
    public static (TraceOptions? Options, string? Problem) Read(string? said, Func<string, string?> environment)
    {
        var given = Value(environment, Switch);
        if (given is not (null or "0" or "1"))
            return (null, $"{Switch}={given}: not 1 or 0");
        if (said is null && given is not "1")
            return (null, null);
        const string protocol = "OTEL_EXPORTER_OTLP_PROTOCOL";
        if (Value(environment, protocol) is { } other and not "http/protobuf")
            return (null, $"{protocol}={other}: traces are sent as http/protobuf alone");
        var (name, address, isBase) = said is not null ? ("--otlp", said, true)
            : Value(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") is { } traces ? ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", traces, false)
            : ("OTEL_EXPORTER_OTLP_ENDPOINT", Value(environment, "OTEL_EXPORTER_OTLP_ENDPOINT") ?? DefaultBase, true);
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
            return (null, $"{name} {address}: not an address such as {DefaultBase}");
        if (uri.Scheme == "https")
            return (null, $"{name} {address}: no TLS is spoken here (name a collector on this machine, as {DefaultBase}, which passes traces on)");
        if (Loopback(uri) is not { } local)
            return (null, $"{name} {address} is beyond this machine: name a collector on it, as {DefaultBase}, which passes traces on");
        var path = uri.AbsolutePath.TrimEnd('/');
        if (isBase && !path.EndsWith(TracesPath, StringComparison.Ordinal))
            path += TracesPath;
        if (ReadHeaders(environment) is not { } headers)
            return (null, "OTEL_EXPORTER_OTLP_HEADERS: not name=value, with commas between");
        var service = Value(environment, "OTEL_SERVICE_NAME") ?? DefaultService;
        return (new TraceOptions(new IPEndPoint(local, uri.Port), path.Length == 0 ? "/" : path, headers, service.Length > LongestService ? service[..LongestService] : service), null);
    }

    // A name is not looked up: a static executable has no resolver, and localhost has a meaning without one.
    private static IPAddress? Loopback(Uri uri) => uri.Host == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address) ? address : null;

    // name=value,name=value with percent-encoded values, as W3C Baggage writes them.
    private static List<(string Name, string Value)>? ReadHeaders(Func<string, string?> environment)
    {
        List<(string, string)> headers = [];
        var text = Value(environment, "OTEL_EXPORTER_OTLP_TRACES_HEADERS") ?? Value(environment, "OTEL_EXPORTER_OTLP_HEADERS") ?? "";
        foreach (var pair in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                return null;
            var (name, value) = (pair[..equals].Trim(), Uri.UnescapeDataString(pair[(equals + 1)..].Trim()));
            if (name.Length == 0 || !name.All(IsPartOfName) || value.Any(part => part is < ' ' or > '~'))
                return null;
            headers.Add((name, value));
        }
        return text.Length > LongestHeaders || headers.Count > MostHeaders ? null : headers;
    }

    private static bool IsPartOfName(char part) => char.IsAsciiLetterOrDigit(part) || part is '-' or '_' or '.';

    private static string? Value(Func<string, string?> environment, string name) => environment(name) is { Length: > 0 } value ? value : null;
}

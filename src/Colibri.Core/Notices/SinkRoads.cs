using System.Globalization;
using System.Text;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Notices;

/// <summary>How a message reaches a sink.</summary>
/// <param name="tools">Runs the programs of sinks, as any child is run: with bounded time and output, and ended with its whole tree.</param>
/// <param name="programs">Finds curl and notify-send.</param>
/// <param name="environment">What a sink's program inherits: nothing secret, and no setting of the daemon.</param>
/// <param name="secrets">Redacts what a sink answers.</param>
/// <param name="time">Its monotonic clock bounds each delivery; its other one is what a message is signed with.</param>
internal sealed class SinkRoads(ToolRunner tools, ProgramPath programs, EnvironmentBlock environment, Secrets secrets, TimeProvider time)
{
    /// <summary>The most bytes that a sink's program may print.</summary>
    public const int MostOutput = 64 * 1024;

    /// <summary>The most bytes of a file with a secret.</summary>
    public const int MostSecret = 4 * 1024;

    private const int MostError = 300;

    private readonly PlainPost _post = new(time);

    /// <summary>Delivers a message once.</summary>
    /// <returns>Null where it was delivered; else why not, in one line.</returns>
    public async Task<string?> DeliverAsync(NotifySettings sink, SinkMessage message, ReadOnlyMemory<byte> json, CancellationToken stopping)
    {
        try
        {
            var problem = sink switch
            {
                { Exec: { } words } => await RunAsync(words[0], [.. words.Skip(1)], Ended(json), sink.Timeout, stopping).ConfigureAwait(false),
                { Url: { } url } => await PostAsync(sink, new Uri(url), message, json, stopping).ConfigureAwait(false),
                _ => await ShowAsync(sink, message, stopping).ConfigureAwait(false),
            };
            return problem is null ? null : secrets.Excerpt(problem.ReplaceLineEndings(" "), MostError);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException or ArgumentException)
        {
            return secrets.Excerpt(e.Message.ReplaceLineEndings(" "), MostError);
        }
    }

    private async Task<string?> RunAsync(string program, IReadOnlyList<string> arguments, ReadOnlyMemory<byte> input, TimeSpan timeout, CancellationToken stopping)
    {
        var call = new ToolCall
        {
            Program = program,
            Arguments = arguments,
            Environment = environment,
            Directory = "/",
            Input = input,
            Timeout = timeout,
            MaxOutput = MostOutput,
            Secrets = secrets,
        };
        var result = await tools.RunAsync(call, stopping).ConfigureAwait(false);
        var name = Path.GetFileName(program);
        if (result.IsTimedOut)
            return string.Create(CultureInfo.InvariantCulture, $"{name} took more than {timeout.TotalSeconds:0} s and was ended");
        if (result.IsFull)
            return $"{name} printed more than {MostOutput} bytes and was ended";
        var words = result.Error.Trim();
        return result.Exit is { Code: 0 } ? null : $"{name}: {(result.Exit.Code is { } code ? $"exit {code}" : $"ended by {result.Exit}")}{(words.Length > 0 ? $": {words}" : "")}";
    }

    // A program can tell by the newline that it has read all of it: the daemon may be killed in the middle.
    private static ReadOnlyMemory<byte> Ended(ReadOnlyMemory<byte> json)
    {
        var line = new byte[json.Length + 1];
        json.CopyTo(line);
        line[^1] = (byte)'\n';
        return line;
    }

    private async Task<string?> PostAsync(NotifySettings sink, Uri url, SinkMessage message, ReadOnlyMemory<byte> json, CancellationToken stopping)
    {
        var headers = new List<(string Name, string Value)> { ("webhook-id", message.Id) };
        if (sink.SecretFile is { } file)
        {
            var (secret, problem) = WebhookSignature.ReadSecret(file);
            if (secret is null)
                return problem;
            headers.AddRange(WebhookSignature.Of(secret, message.Id, time.GetUtcNow(), json.Span));
        }
        // What leaves the host, or needs TLS, is curl's: the daemon has no TLS stack and resolves no names.
        return url.Scheme == Uri.UriSchemeHttp && (sink.Socket is not null || url.IsLoopback)
            ? await _post.SendAsync(url, sink.Socket, headers, json, sink.Timeout, stopping).ConfigureAwait(false)
            : await CurlAsync(url, headers, json, sink.Timeout, stopping).ConfigureAwait(false);
    }

    private async Task<string?> CurlAsync(Uri url, List<(string Name, string Value)> headers, ReadOnlyMemory<byte> json, TimeSpan timeout, CancellationToken stopping) =>
        programs.Find("curl") is not { } curl
            ? "curl is not on the daemon's search path; addresses with https, and those of other hosts, need it"
            : await RunAsync(curl, ["-q", "-K", "-"], Encoding.UTF8.GetBytes(CurlConfiguration.Of(url, headers, json.Span, timeout)), timeout + TimeSpan.FromSeconds(2), stopping).ConfigureAwait(false);

    private async Task<string?> ShowAsync(NotifySettings sink, SinkMessage message, CancellationToken stopping)
    {
        if (!HasSessionBus())
            return "there is no session bus: the daemon runs outside of a desktop session";
        return programs.Find("notify-send") is not { } program
            ? "notify-send is not on the daemon's search path"
            : await RunAsync(program, ["--app-name=colibri", "--", $"colibri: {message.Kind}", message.Text], ReadOnlyMemory<byte>.Empty, sink.Timeout, stopping).ConfigureAwait(false);
    }

    private bool HasSessionBus() =>
        environment.ValueOf("DBUS_SESSION_BUS_ADDRESS") is { Length: > 0 }
        || (environment.ValueOf("XDG_RUNTIME_DIR") is { Length: > 0 } directory && File.Exists(Path.Combine(Encoding.UTF8.GetString(directory), "bus")));
}

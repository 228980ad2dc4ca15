using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The sidecar as the daemon sees it over the socket; what it can do wrong is tried out one by one in the unit tests.</summary>
public sealed class HeadroomTests
{
    private static readonly string Said = new('x', 10_000);

    [Test]
    public async Task What_an_agents_tool_said_is_shortened_by_a_sidecar_that_is_there()
    {
        using var directory = new TempDirectory();
        await using var sidecar = new Sidecar(directory.File("headroom.sock"), answers: true);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_HEADROOM_ENABLED", "on"), ("COLIBRI_HEADROOM_SOCKET", sidecar.Path));
        await Eventually.HoldsAsync(async () => (await HeadroomAsync(daemon)).Flag("connected"), () => "it is connected");

        await AppendAsync(daemon);

        (await TextAsync(daemon)).ShouldStartWith("in short\n[... shortened by headroom from 10000 bytes");
        var state = await HeadroomAsync(daemon);
        (state.Number("requests"), state.Number("shortened")).ShouldBe((1, 1));
        (await daemon.CliAsync("status")).Stdout.ShouldContain("1 of 1 tool result shortened");
    }

    [Test]
    public async Task A_sidecar_that_is_absent_or_never_answers_holds_an_append_up_by_its_timeout_at_most()
    {
        using var directory = new TempDirectory();
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_HEADROOM_ENABLED", "on"), ("COLIBRI_HEADROOM_SOCKET", directory.File("headroom.sock")));
        await Eventually.HoldsAsync(async () => (await HeadroomAsync(daemon)).Has("last_error"), () => "it is missed");
        await AppendAsync(daemon);
        (await TextAsync(daemon)).ShouldBe(Said);

        await using var sidecar = new Sidecar(directory.File("headroom.sock"), answers: false);
        await Eventually.HoldsAsync(async () => (await HeadroomAsync(daemon)).Flag("connected"), () => "it is connected");
        var clock = Stopwatch.StartNew();
        await AppendAsync(daemon);
        clock.Elapsed.ShouldBeInRange(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(6));
        await AppendAsync(daemon);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(7));
        (await TextAsync(daemon)).ShouldBe(Said);
        (await HeadroomAsync(daemon)).Text("last_error").ShouldBe("no answer within 5 s");
    }

    private static async Task<JsonElement> HeadroomAsync(ColibriDaemon daemon) => (await daemon.DataAsync(new { cmd = "status" })).Member("headroom");

    private static Task<JsonElement> AppendAsync(ColibriDaemon daemon) =>
        daemon.DataAsync(new { cmd = "append-session", session_id = "s", entry = new { kind = "tool_result", tool = "bash", text = Said } });

    private static async Task<string> TextAsync(ColibriDaemon daemon) =>
        (await daemon.DataAsync(new { cmd = "get-session", session_id = "s" })).Items("entries")[^1].Text("text");

    private sealed class Sidecar : IAsyncDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly Task _serving;

        public Sidecar(string path, bool answers)
        {
            Path = path;
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen();
            _serving = ServeAsync(answers);
        }

        public string Path { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _serving;
        }

        private async Task ServeAsync(bool answers)
        {
            try
            {
                while (true)
                    _ = AnswerAsync(await _listener.AcceptAsync(), answers);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private static async Task AnswerAsync(Socket socket, bool answers)
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            using var reader = new StreamReader(stream);
            try
            {
                while (await reader.ReadLineAsync() is { } line)
                {
                    var id = JsonElement.Parse(line).Text("id");
                    if (answers)
                        await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { id, compressed = "in short", tokens_before = 2500, tokens_after = 2 }) + "\n"));
                }
            }
            catch (IOException)
            {
                // The daemon has given it up.
            }
        }
    }
}

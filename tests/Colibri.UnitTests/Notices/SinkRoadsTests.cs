using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Notices;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Notices;

/// <summary>Each way to a sink, with sinks as bad as real ones are.</summary>
[NotInParallel]
public sealed class SinkRoadsTests : IDisposable
{
    private static readonly byte[] Json = Encoding.UTF8.GetBytes("""{"text":"a \"b\" \\ é"}""");

    private static readonly SinkMessage Message = new(SinkMessage.CurrentSchema, "clawdie.7", "clawdie", "ops", "failed", DateTimeOffset.UnixEpoch, "failed: it", []);

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-sinks-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task A_program_gets_the_message_on_its_standard_input_and_no_secret()
    {
        var file = Path.Combine(_directory, "got");
        (await Deliver(Exec($"cat > {file}; env >> {file}"))).ShouldBeNull();
        var got = await File.ReadAllTextAsync(file);
        got.ShouldStartWith(Encoding.UTF8.GetString(Json));
        got.ShouldNotContain("SOME_TOKEN");
    }

    [Test]
    [Arguments("echo 'no such room' >&2; exit 3", "sh: exit 3: no such room")]
    [Arguments("exec sleep 300", "sh took more than 1 s and was ended")]
    [Arguments("trap '' TERM; while :; do sleep 300 & wait; done", "sh took more than 1 s and was ended")]
    [Arguments("yes", "sh printed more than 65536 bytes and was ended")]
    public async Task A_program_that_fails_hangs_or_floods_is_ended_and_says_why(string script, string problem) =>
        (await Deliver(Exec(script) with { Timeout = TimeSpan.FromSeconds(1) })).ShouldBe(problem);

    [Test]
    public async Task A_program_that_is_not_there_is_said() =>
        (await Deliver(new NotifySettings { Name = "ops", Exec = ["/nowhere/tell"] }))!.ShouldContain("/nowhere/tell");

    [Test]
    [Arguments("HTTP/1.1 204 No Content\r\n\r\n", null)]
    [Arguments("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", null)]
    [Arguments("HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\n\r\n", "the answer is 302")]
    [Arguments("HTTP/1.1 500 No\r\n\r\n", "the answer is 500")]
    [Arguments("", "the answer is not HTTP")]
    [Arguments("ssh-2.0 hello\r\n", "the answer is not HTTP")]
    public async Task An_address_of_this_host_is_posted_to_and_its_status_counts(string answer, string? problem)
    {
        using var server = new Server(answer, new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), new IPEndPoint(IPAddress.Loopback, 0));
        (await Deliver(new NotifySettings { Name = "ops", Url = $"http://127.0.0.1:{server.Port}/a?b=c" })).ShouldBe(problem);
        var request = await server.Request;
        request.ShouldStartWith($"POST /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:{server.Port}\r\n");
        request.ShouldContain("webhook-id: clawdie.7\r\n");
        request.ShouldEndWith("\r\n\r\n" + Encoding.UTF8.GetString(Json));
    }

    [Test]
    public async Task A_unix_socket_is_posted_to_and_a_signature_is_that_of_the_standard()
    {
        var (socket, secret) = (Path.Combine(_directory, "s"), Path.Combine(_directory, "secret"));
        var key = RandomNumberGenerator.GetBytes(24);
        await File.WriteAllTextAsync(secret, $"whsec_{Convert.ToBase64String(key)}\n");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var server = new Server("HTTP/1.1 200 OK\r\n\r\n", new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(socket));
        (await Deliver(new NotifySettings { Name = "ops", Url = "http://hooks/x", Socket = socket, SecretFile = secret })).ShouldBeNull();
        var head = (await server.Request).Split("\r\n\r\n")[0].Split("\r\n").Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(line => line[0], line => line[1]);
        var signed = Encoding.UTF8.GetBytes($"{head["webhook-id"]}.{head["webhook-timestamp"]}.{Encoding.UTF8.GetString(Json)}");
        head["webhook-signature"].ShouldBe($"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}");
        head["host"].ShouldBe("hooks");
    }

    [Test]
    public async Task A_secret_that_others_can_read_is_not_used()
    {
        var secret = Path.Combine(_directory, "secret");
        await File.WriteAllTextAsync(secret, "abc");
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        (await Deliver(new NotifySettings { Name = "ops", Url = "http://127.0.0.1:1/", SecretFile = secret })).ShouldBe($"secret_file {secret} can be read by others; type: chmod 600 {secret}");
    }

    [Test]
    public async Task A_server_that_takes_all_and_answers_nothing_delays_for_its_time_alone()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        (await Deliver(new NotifySettings { Name = "ops", Url = $"http://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/", Timeout = TimeSpan.FromSeconds(1) })).ShouldBe("no answer within 1 s");
    }

    [Test]
    public async Task Https_is_curls_with_all_of_it_on_its_standard_input()
    {
        var curl = Path.Combine(_directory, "curl");
        await File.WriteAllTextAsync(curl, $"#!/bin/sh\necho \"$@\" > {_directory}/argv\ncat > {_directory}/config\n");
        File.SetUnixFileMode(curl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        (await Deliver(new NotifySettings { Name = "ops", Url = "https://example.org/hook?who=me" }, path: _directory)).ShouldBeNull();
        (await File.ReadAllTextAsync(Path.Combine(_directory, "argv"))).Trim().ShouldBe("-q -K -");
        var lines = await File.ReadAllLinesAsync(Path.Combine(_directory, "config"));
        lines.ShouldContain("url = \"https://example.org/hook?who=me\"");
        lines.ShouldContain("data-binary = \"{\\\"text\\\":\\\"a \\\\\\\"b\\\\\\\" \\\\\\\\ é\\\"}\"");
        lines.ShouldContain("max-time = 30");
    }

    [Test]
    public async Task Without_a_session_bus_there_is_no_desktop() =>
        (await Deliver(new NotifySettings { Name = "ops", Desktop = true })).ShouldBe("there is no session bus: the daemon runs outside of a desktop session");

    [Test]
    public void The_code_is_the_one_that_everybody_else_computes()
    {
        var random = new Random(3);
        foreach (var length in new[] { 0, 1, 20, 63, 64, 65, 131 })
        {
            var (key, data) = (new byte[length], new byte[length * 3]);
            random.NextBytes(key);
            random.NextBytes(data);
            Core.Sessions.Sha256.HmacOf(key, data).ShouldBe(HMACSHA256.HashData(key, data));
        }
    }

    private static NotifySettings Exec(string script) => new() { Name = "ops", Exec = ["/bin/sh", "-c", script] };

    private static async Task<string?> Deliver(NotifySettings sink, string path = "/usr/bin:/bin")
    {
        var processes = SharedChildren.Instance;
        var environment = EnvironmentBlock.Of([new("PATH", "/usr/bin:/bin")]);
        var roads = new SinkRoads(new ToolRunner(processes, TimeProvider.System, NullLogger.Instance), new ProgramPath(path, null, "/nowhere"), environment, Secrets.None, TimeProvider.System);
        return await roads.DeliverAsync(sink, Message, Json, CancellationToken.None);
    }

    /// <summary>Answers one connection once its request is there.</summary>
    private sealed class Server : IDisposable
    {
        private readonly Socket _listener;

        public Server(string answer, Socket listener, EndPoint end)
        {
            _listener = listener;
            listener.Bind(end);
            listener.Listen();
            Request = ServeAsync(answer);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

        public Task<string> Request { get; }

        public void Dispose() => _listener.Dispose();

        private async Task<string> ServeAsync(string answer)
        {
            using var client = await _listener.AcceptAsync();
            var (text, buffer) = (new StringBuilder(), new byte[8192]);
            while (!text.ToString().EndsWith('}') && await client.ReceiveAsync(buffer) is > 0 and var read)
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            await client.SendAsync(Encoding.ASCII.GetBytes(answer));
            return text.ToString();
        }
    }
}

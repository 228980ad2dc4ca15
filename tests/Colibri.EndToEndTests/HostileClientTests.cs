using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Clients that misbehave get their defined outcome, and the others do not notice.</summary>
[NotInParallel]
public sealed class HostileClientTests
{
    private const int MaxLineBytes = 4 * 1024 * 1024;

    [Test]
    [Arguments("this is no JSON", "bad-json")]
    [Arguments("{\"cmd\":\"ping\"", "bad-json")]
    [Arguments("{\"cmd\":\"ping\"}}", "bad-json")]
    [Arguments("[{\"cmd\":\"ping\"}]", "bad-json")]
    [Arguments("42", "bad-json")]
    [Arguments("{}", "bad-request")]
    [Arguments("{\"cmd\":7}", "bad-request")]
    [Arguments("{\"cmd\":\"pong\"}", "unknown-command")]
    [Arguments("{\"cmd\":\"create-task\"}", "bad-request")]
    [Arguments("{\"cmd\":\"create-task\",\"title\":7}", "bad-request")]
    [Arguments("{\"cmd\":\"get-task\"}", "bad-request")]
    [Arguments("{\"cmd\":\"get-task\",\"task_id\":\"01a201dd-9e2c-7489-9c6b-b90dc9b73446\"}", "not-found")]
    [Arguments("{\"cmd\":\"get-session\",\"session_id\":\"../../etc/passwd\"}", "bad-request")]
    public async Task A_bad_line_is_answered_with_its_code_and_the_connection_goes_on(string line, string code)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        (await client.RefusalAsync(line)).ShouldBe(code);

        (await client.AskAsync(new { cmd = "ping" })).Ok.ShouldBeTrue();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_client_that_has_a_long_name_of_its_own_is_served_like_any_other(bool isAbstract)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var name = isAbstract ? "\0" + new string('n', 106) : Path.Combine(daemon.DirectoryPath, "client-" + new string('n', 90 - daemon.DirectoryPath.Length));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(name));
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.SocketPath), TestContext.Current!.Execution.CancellationToken);
        await socket.SendAsync("{\"cmd\":\"ping\"}\n"u8.ToArray(), TestContext.Current!.Execution.CancellationToken);

        var reply = new byte[256];
        var length = await socket.ReceiveAsync(reply, TestContext.Current!.Execution.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current!.Execution.CancellationToken);
        Encoding.UTF8.GetString(reply, 0, length).ShouldBe("{\"ok\":true,\"data\":{}}\n");

        await using var other = await daemon.ConnectAsync();
        (await other.AskAsync(new { cmd = "ping" })).Ok.ShouldBeTrue();
    }

    [Test]
    public async Task A_bad_request_names_the_field()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        (await client.AskAsync(new { cmd = "create-task" })).ErrorMessage.ShouldContain("title");
        (await client.AskAsync(new { cmd = "get-task" })).ErrorMessage.ShouldContain("task_id");
        (await client.AskAsync(new { cmd = "set-cost-mode", mode = "cheap" })).ErrorMessage.ShouldContain("cheap");
    }

    [Test]
    public async Task A_blank_line_is_no_request_and_gets_no_reply()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        await client.SendAsync("");

        (await client.AskAsync(new { cmd = "ping", id = 1 })).Root.Number("id").ShouldBe(1);
    }

    [Test]
    public async Task Binary_garbage_is_bad_json_line_by_line()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var garbage = new byte[8 * 1024];
        new Random(20).NextBytes(garbage);
        garbage.AsSpan().Replace((byte)'\n', (byte)0);

        await client.SendBytesAsync((byte[])[.. garbage, (byte)'\n', 0, 0xFF, 0xFE, (byte)'\n']);

        new Reply(await client.ReadAsync()).ErrorCode.ShouldBe("bad-json");
        new Reply(await client.ReadAsync()).ErrorCode.ShouldBe("bad-json");
        (await client.AskAsync(new { cmd = "ping" })).Ok.ShouldBeTrue();
    }

    [Test]
    public async Task Five_MiB_without_a_newline_are_too_large_and_the_connection_is_closed()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var sending = SendUntilRefusedAsync(client, 5 * 1024 * 1024);

        new Reply(await client.ReadAsync()).ErrorCode.ShouldBe("too-large");
        (await client.ReadLineAsync()).ShouldBeNull();
        await sending;
    }

    [Test]
    public async Task A_line_of_just_under_4_MiB_is_still_read()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        const string Frame = "{\"cmd\":\"ping\",\"padding\":\"\"}";

        var line = Frame.Insert(Frame.Length - 2, new string('x', MaxLineBytes - Frame.Length));

        (await client.AskAsync(line)).Ok.ShouldBeTrue();
    }

    [Test]
    public async Task Half_a_line_and_silence_costs_nobody_else_anything_and_can_still_be_finished()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var sleeper = await daemon.ConnectAsync();
        await sleeper.SendBytesAsync("{\"cmd\":\"pi"u8.ToArray());

        await using (var other = await daemon.ConnectAsync())
            (await other.AskAsync(new { cmd = "ping" })).Ok.ShouldBeTrue();

        await sleeper.SendBytesAsync("ng\"}\n"u8.ToArray());
        new Reply(await sleeper.ReadAsync()).Ok.ShouldBeTrue();
    }

    [Test]
    public async Task Another_client_does_not_notice_them_and_the_daemon_does_not_grow()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var measured = await daemon.ConnectAsync();
        await PingP99Async(measured);
        var undisturbed = await PingP99Async(measured);
        var before = ProcTable.ResidentBytes(daemon.Pid);

        await using var sleeper = await daemon.ConnectAsync();
        await sleeper.SendBytesAsync("{\"cmd\":\"sta"u8.ToArray());
        await using var endless = await daemon.ConnectAsync();
        await endless.SendBytesAsync(Encoding.UTF8.GetBytes(new string('x', MaxLineBytes - 1)));
        await using var garbage = await daemon.ConnectAsync();
        await garbage.SendBytesAsync(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{]\n", 1_000))));
        await using var deaf = await daemon.ConnectAsync();
        await using var deafSubscriber = await daemon.ConnectAsync();
        await deafSubscriber.SendAsync(new { cmd = "subscribe" });
        using var over = new CancellationTokenSource();
        var flooding = FloodAsync(deaf, over.Token);
        var disturbed = await PingP99Async(measured);
        var grown = ProcTable.ResidentBytes(daemon.Pid) - before;
        await over.CancelAsync();
        await flooding;

        TestContext.Current?.Output.WriteLine(
            $"ping p99 {undisturbed.TotalMicroseconds:0} us alone, {disturbed.TotalMicroseconds:0} us among hostile clients; resident memory grew by {grown / 1024:0} KiB");
        disturbed.ShouldBeLessThan(5 * undisturbed + TimeSpan.FromMilliseconds(20));
        grown.ShouldBeLessThan(64L * 1024 * 1024);
    }

    /// <summary>A hundred thousand pings and not one reply read. The daemon may stop reading: then so much is never sent.</summary>
    private static async Task FloodAsync(WireClient deaf, CancellationToken over)
    {
        var pings = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"cmd\":\"ping\"}\n", 1_000)));
        try
        {
            for (var i = 0; i < 100; i++)
                await deaf.SendBytesAsync(pings, over);
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or IOException)
        {
        }
    }

    private static async Task SendUntilRefusedAsync(WireClient client, int bytes)
    {
        try
        {
            await client.SendBytesAsync(Encoding.UTF8.GetBytes(new string('x', bytes)));
        }
        catch (IOException)
        {
            // Closed before all of it was sent.
        }
    }

    private static async Task<TimeSpan> PingP99Async(WireClient client)
    {
        const int Pings = 2_000;
        var ping = "{\"cmd\":\"ping\"}\n"u8.ToArray();
        var times = new long[Pings];
        for (var i = 0; i < Pings; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await client.SendBytesAsync(ping);
            await client.ReadLineAsync();
            times[i] = Stopwatch.GetTimestamp() - start;
        }
        Array.Sort(times);
        return TimeSpan.FromSeconds((double)times[Pings * 99 / 100] / Stopwatch.Frequency);
    }
}

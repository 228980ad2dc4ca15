using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Protocol.Client;

public sealed class ColibriClientTests
{
    private static readonly CommandRequest Ping = new() { Cmd = WireCommand.Ping.Name };

    private static CancellationToken Cancelled => TestContext.Current!.Execution.CancellationToken;

    [Test]
    public async Task A_request_is_one_line_of_the_wire_and_the_reply_keeps_its_data_byte_for_byte()
    {
        await using var daemon = FakeDaemon.Granting("""{"b":1.0 ,"a":"é\u0041"}""");
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var reply = await client.SendAsync(new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = "t" }, null, Cancelled);

        daemon.Requests.ShouldBe(["""{"cmd":"get-task","task_id":"t"}"""]);
        reply.Ok.ShouldBeTrue();
        reply.Error.ShouldBeNull();
        Encoding.UTF8.GetString(reply.Data.Span).ShouldBe("""{"b":1.0 ,"a":"é\u0041"}""");
    }

    [Test]
    public void A_request_without_fields_is_the_line_that_the_metadata_would_make()
    {
        foreach (var command in WireCommand.All.Select(command => command.Name).Append("no\"such\u00e9"))
        {
            foreach (var request in new[] { new CommandRequest { Cmd = command }, new CommandRequest { Cmd = command, TaskId = "12" } })
                Encoding.UTF8.GetString(ColibriClient.LineOf(request)).ShouldBe(JsonSerializer.Serialize(request, ProtocolJson.Wire.CommandRequest) + "\n");
        }
    }

    [Test]
    public async Task A_refusal_is_a_reply_with_its_code_and_message()
    {
        await using var daemon = FakeDaemon.Answering("""{"id":"7","ok":false,"error":{"code":"conflict","message":"task t is started"},"x":[1]}""");
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var reply = await client.SendAsync(Ping, null, Cancelled);

        reply.Ok.ShouldBeFalse();
        reply.Error.ShouldBe(new WireError("conflict", "task t is started"));
        Encoding.UTF8.GetString(reply.Id.Span).ShouldBe("\"7\"");
        reply.Data.Length.ShouldBe(0);
    }

    [Test]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync($$"""{"ok":true,"data":{{line}}}"""));
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        for (var i = 0; i < 50; i++)
            await client.PostAsync(Ping with { TaskId = $"{i}" }, null, Cancelled);
        for (var i = 0; i < 50; i++)
            (await client.ReadReplyAsync(null, Cancelled)).Read(ProtocolJson.Wire.CommandRequest).TaskId.ShouldBe($"{i}");
    }

    [Test]
    [Arguments(0)]
    [Arguments(16 * 1024)]
    [Arguments(3 * 1024 * 1024)]
    public async Task A_reply_of_any_size_arrives_whole_and_the_next_one_after_it(int size)
    {
        var text = new string('x', size);
        await using var daemon = FakeDaemon.Granting($"\"{text}\"");
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        for (var i = 0; i < 3; i++)
            (await client.SendAsync(Ping, null, Cancelled)).Data.Length.ShouldBe(size + 2);
    }

    [Test]
    public async Task A_reply_beyond_64_MiB_is_refused_in_words_that_say_what_to_do()
    {
        var chunk = new byte[1024 * 1024];
        chunk.AsSpan().Fill((byte)'x');
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            while (true)
                await connection.SendRawAsync(chunk);
        });
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var error = await Should.ThrowAsync<DaemonUnreachableException>(client.SendAsync(Ping, null, Cancelled));

        error.Reason.ShouldBe(UnreachableReason.Garbled);
        error.Message.ShouldContain("larger than 64 MiB (ask for less");
    }

    [Test]
    public async Task Without_a_socket_file_the_error_says_how_to_start_the_daemon()
    {
        var path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));

        var error = await Should.ThrowAsync<DaemonUnreachableException>(ColibriClient.ConnectAsync(path, Cancelled));

        error.Reason.ShouldBe(UnreachableReason.NoSocket);
        error.SocketPath.ShouldBe(path);
        error.Message.ShouldBe($"no daemon at {path} (is it running? try: colibri-daemon)");
    }

    [Test]
    public async Task A_socket_file_that_nobody_listens_on_is_stale()
    {
        var directory = Directory.CreateTempSubdirectory("cf");
        var path = Path.Combine(directory.FullName, "s");
        using (var bound = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            bound.Bind(new UnixDomainSocketEndPoint(path));
            var error = await Should.ThrowAsync<DaemonUnreachableException>(ColibriClient.ConnectAsync(path, Cancelled));
            error.Reason.ShouldBe(UnreachableReason.Stale);
            error.Message.ShouldStartWith($"nobody listens on {path}");
        }
        directory.Delete(recursive: true);
    }

    [Test]
    public async Task A_path_too_long_for_a_socket_is_said_to_be_so()
    {
        var error = await Should.ThrowAsync<DaemonUnreachableException>(
            ColibriClient.ConnectAsync("/" + new string('x', 200), Cancelled));

        error.Reason.ShouldBe(UnreachableReason.BadPath);
    }

    [Test]
    [Arguments("hello")]
    [Arguments("[]")]
    [Arguments("{}")]
    [Arguments("""{"ok":1}""")]
    [Arguments("""{"ok":false}""")]
    [Arguments("""{"ok":true} {"ok":true}""")]
    [Arguments("")]
    public async Task A_line_that_is_no_reply_is_said_not_to_be_the_protocol(string line)
    {
        await using var daemon = FakeDaemon.Answering(line);
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var error = await Should.ThrowAsync<DaemonUnreachableException>(client.SendAsync(Ping, null, Cancelled));

        error.Reason.ShouldBe(UnreachableReason.Garbled);
    }

    [Test]
    [Arguments("")]
    [Arguments("{\"ok\":tr")]
    public async Task A_connection_that_ends_before_the_reply_is_closed_even_in_the_middle_of_a_line(string torn)
    {
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            await connection.SendRawAsync(Encoding.UTF8.GetBytes(torn));
            connection.Close();
        });
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var error = await Should.ThrowAsync<DaemonUnreachableException>(client.SendAsync(Ping, null, Cancelled));

        error.Reason.ShouldBe(UnreachableReason.Closed);
    }

    [Test]
    public async Task A_silent_daemon_is_given_up_after_the_timeout()
    {
        await using var daemon = new FakeDaemon((_, _) => Task.CompletedTask);
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var error = await Should.ThrowAsync<DaemonUnreachableException>(
            client.SendAsync(Ping, TimeSpan.FromMilliseconds(50), Cancelled));

        error.Reason.ShouldBe(UnreachableReason.TimedOut);
        error.Message.ShouldContain("within 0.1 s");
    }

    [Test]
    public async Task The_caller_s_own_cancellation_is_not_mistaken_for_a_timeout()
    {
        await using var daemon = new FakeDaemon((_, _) => Task.CompletedTask);
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);
        using var cancelled = new CancellationTokenSource();

        var sending = client.SendAsync(Ping, null, cancelled.Token);
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(sending);
    }

    [Test]
    public async Task A_refusal_sent_before_the_request_was_read_is_still_read()
    {
        var directory = Directory.CreateTempSubdirectory("cf");
        var path = Path.Combine(directory.FullName, "s");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        using var client = await ColibriClient.ConnectAsync(path, Cancelled);
        using (var accepted = await listener.AcceptAsync(Cancelled))
            await accepted.SendAsync("""{"ok":false,"error":{"code":"denied","message":"no"}}"""u8.ToArray().Append((byte)'\n').ToArray());

        var reply = await client.SendAsync(Ping with { Prompt = new string('x', 1 << 20) }, null, Cancelled);

        reply.Error!.Code.ShouldBe("denied");
        directory.Delete(recursive: true);
    }

    [Test]
    public async Task Events_come_as_they_are_said_until_the_daemon_ends_the_stream()
    {
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
            await connection.SendAsync("""{"kind":"missed","at":"2026-11-22T06:07:10.893Z","missed":3}""");
            await connection.SendAsync("""{"kind":"later-kind","topic":"later","at":"2026-11-22T06:07:11.000Z","new":{}}""");
            connection.Close();
        });
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        (await client.SubscribeAsync(["tasks"], Cancelled)).Ok.ShouldBeTrue();
        List<Event> seen = [];
        var error = await Should.ThrowAsync<DaemonUnreachableException>(async () =>
        {
            await foreach (var change in client.ReadEventsAsync(Cancelled))
                seen.Add(change);
        });

        daemon.Requests.ShouldBe(["""{"cmd":"subscribe","topics":["tasks"]}"""]);
        seen.Select(e => (e.Kind, e.Missed)).ShouldBe([("missed", 3L), ("later-kind", null)]);
        error.Reason.ShouldBe(UnreachableReason.Closed);
    }

    [Test]
    public async Task A_paced_reader_takes_the_first_event_at_once_and_looks_for_more_when_its_time_has_passed()
    {
        static string Said(int at) => $$"""{"kind":"missed","at":"2026-11-22T06:07:10.893Z","missed":{{at}}}""";
        var isSubscribed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
            await isSubscribed.Task;
            await connection.SendAsync(Said(1));
            await goOn.Task;
            await connection.SendAsync($"{Said(2)}\n{Said(3)}");
        });
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);
        var time = new FakeTime();
        (await client.SubscribeAsync(["tasks"], Cancelled)).Ok.ShouldBeTrue();
        isSubscribed.SetResult();
        await using var events = client.ReadEventsAsync(TimeSpan.FromMilliseconds(100), time, Cancelled).GetAsyncEnumerator(Cancelled);

        (await events.MoveNextAsync()).ShouldBeTrue();
        events.Current.Missed.ShouldBe(1);
        goOn.SetResult();
        var next = events.MoveNextAsync().AsTask();
        next.IsCompleted.ShouldBeFalse("the clock has not moved");
        time.Advance(TimeSpan.FromMilliseconds(100));
        (await next).ShouldBeTrue();
        events.Current.Missed.ShouldBe(2);
        (await events.MoveNextAsync()).ShouldBeTrue("it was read with the one before");
        events.Current.Missed.ShouldBe(3);
    }

    [Test]
    public async Task Data_that_is_not_the_expected_thing_is_a_json_error()
    {
        await using var daemon = FakeDaemon.Granting("""{"id":1}""");
        using var client = await ColibriClient.ConnectAsync(daemon.SocketPath, Cancelled);

        var reply = await client.SendAsync(Ping, null, Cancelled);

        Should.Throw<JsonException>(() => reply.Read(ProtocolJson.Wire.BoardTask));
    }
}

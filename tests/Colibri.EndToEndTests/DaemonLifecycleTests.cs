using System.Net.Sockets;
using System.Runtime.Versioning;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

[UnsupportedOSPlatform("windows")]
public sealed class DaemonLifecycleTests
{
    [Test]
    public async Task A_second_daemon_on_the_socket_refuses_and_says_who_listens()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        var second = await daemon.RunToEndAsync([], ("COLIBRI_DB_PATH", Path.Combine(daemon.DirectoryPath, "other.sqlite")));

        second.ExitCode.ShouldBe(1, second.ToString());
        var said = second.ErrorLines[^1];
        said.ShouldContain(daemon.SocketPath);
        said.ShouldContain($"{daemon.Pid}");
        (await daemon.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(daemon.Pid);
    }

    [Test]
    public async Task A_second_daemon_on_the_database_refuses()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var otherSocket = Path.Combine(daemon.DirectoryPath, "other.sock");

        var second = await daemon.RunToEndAsync([], ("COLIBRI_DAEMON_SOCKET", otherSocket));

        second.ExitCode.ShouldBe(1, second.ToString());
        second.ErrorLines[^1].ShouldContain(daemon.DatabasePath);
        File.Exists(otherSocket).ShouldBeFalse();
        (await daemon.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(daemon.Pid);
    }

    [Test]
    public async Task A_socket_that_nobody_listens_on_is_replaced()
    {
        await using var daemon = ColibriDaemon.Prepared();
        using (var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            // .NET unlinks the path when a bound socket is disposed, unless it was moved away meanwhile.
            BindAndKeep(stale, daemon.SocketPath);
        File.Exists(daemon.SocketPath).ShouldBeTrue();

        await daemon.StartAgainAsync();

        (await daemon.DataAsync(new { cmd = "status" })).Member("paths").Text("socket").ShouldBe(daemon.SocketPath);
    }

    [Test]
    public async Task The_socket_a_killed_daemon_left_is_replaced()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.KillAsync();
        File.Exists(daemon.SocketPath).ShouldBeTrue();

        await daemon.StartAgainAsync();
    }

    [Test]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        await using var daemon = ColibriDaemon.Prepared();
        await File.WriteAllTextAsync(daemon.SocketPath, "precious", TestContext.Current!.Execution.CancellationToken);

        var refused = await daemon.RunToEndAsync([]);

        refused.ExitCode.ShouldBe(1, refused.ToString());
        (await File.ReadAllTextAsync(daemon.SocketPath, TestContext.Current!.Execution.CancellationToken)).ShouldBe("precious");
    }

    [Test]
    public async Task The_socket_is_for_its_owner_and_group_alone()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
        File.GetUnixFileMode(daemon.SocketPath).ShouldBe(OwnerAndGroup);
    }

    [Test]
    public async Task What_was_on_the_board_is_there_after_an_orderly_restart()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Stays" })).Text("id");
        await daemon.DataAsync(new { cmd = "register-skill", name = "dig", description = "Digs", category = "garden" });

        (await daemon.TerminateAsync()).ShouldBe(0);
        await daemon.StartAgainAsync();

        (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status").ShouldBe("queued");
        (await daemon.DataAsync(new { cmd = "list-skills" })).Items("skills").ShouldHaveSingleItem();
    }

    [Test]
    public async Task A_client_connected_at_the_end_sees_its_connection_close()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "ping" });

        (await daemon.TerminateAsync()).ShouldBe(0);

        (await client.ReadLineAsync()).ShouldBeNull();
    }

    private static void BindAndKeep(Socket socket, string path)
    {
        socket.Bind(new UnixDomainSocketEndPoint(path + ".bound"));
        File.Move(path + ".bound", path);
    }
}

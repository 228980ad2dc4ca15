using System.Net.Sockets;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A task whose run kills its daemon, and a service manager that starts the daemon again each time.</summary>
public sealed class PoisonTests
{
    private const int Others = 4;

    // The daemon's own pid is the parent of its agents. What the prompt says of poison decides.
    private const string OneShot = """
        #!/bin/sh
        case "$*" in *poison*)
            echo x >> 'DIR/starts'
            [ -e 'DIR/cured' ] || { echo '{"type":"agent_start"}'; kill -9 $PPID; sleep 20; } ;;
        esac
        echo '{"type":"agent_start"}'
        echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"It is done."}],"stopReason":"stop"}}'
        echo '{"type":"agent_end","messages":[],"willRetry":false}'
        """;

    private const string Resident = """
        #!/bin/sh
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
            case $line in *'"type":"prompt"'*) ;; *) continue ;; esac
            echo '{"type":"agent_start"}'
            case $line in *poison*)
                echo x >> 'DIR/starts'
                [ -e 'DIR/cured' ] || { kill -9 $PPID; sleep 20; } ;;
            esac
            echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"It is done."}],"stopReason":"stop"}}'
            echo '{"type":"agent_settled"}'
        done
        """;

    [Test]
    [Arguments("one-shot")]
    [Arguments("resident")]
    [Arguments("autospawned")]
    public async Task It_is_held_after_three_kills_and_the_rest_of_the_queue_is_done(string road)
    {
        using var directory = new TempDirectory();
        var agent = directory.File("agent");
        await File.WriteAllTextAsync(agent, (road == "one-shot" ? OneShot : Resident).Replace("DIR", directory.Path, StringComparison.Ordinal) + "\n", Token);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        (string, string?)[] environment = road switch
        {
            "one-shot" => [("COLIBRI_AGENT_BINARY", agent)],
            "resident" => [("COLIBRI_AGENT_BINARY", agent), ("COLIBRI_AGENT_ARGS", "--rpc")],
            _ => [("COLIBRI_AUTOSPAWN", "on"), ("COLIBRI_AUTOSPAWN_BINARY", agent), ("COLIBRI_AUTOSPAWN_ARGS", "--rpc --local")],
        };
        // The board is filled before an agent may start.
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_MAX_AGENTS", "2"));
        var poison = (await daemon.DataAsync(new { cmd = "create-task", title = "poison", max_attempts = 1, priority = 5 })).Text("id");
        var others = new List<string>();
        for (var i = 0; i < Others; i++)
            others.Add((await daemon.DataAsync(new { cmd = "create-task", title = $"harmless {i}", max_attempts = 1 })).Text("id"));
        await daemon.TerminateAsync();
        foreach (var (name, value) in environment)
            daemon.Change(name, value);

        var restarts = 0;
        for (var isHeld = false; !isHeld && restarts < 10; restarts++)
        {
            await daemon.StartUntilAsync(() => IsHeld(daemon), "the daemon ends, or holds the task");
            isHeld = IsHeld(daemon);
        }

        restarts.ShouldBe(4, "three daemons were killed");
        await Eventually.HoldsAsync(() => AnswersAsync(daemon), () => $"the daemon answers; its log:\n{daemon.Log}");
        await using var client = await daemon.ConnectAsync();
        foreach (var other in others)
            await client.TaskEndedAsync(other, "done");
        var held = await client.TaskAsync(poison);
        (held.Text("status"), held.Member("held").GetBoolean(), held.Number("interruptions"), held.Number("attempts"), held.Text("verdict"), held.Member("error").Text("code"))
            .ShouldBe(("queued", true, 3, 0, "poison", "poison"));
        held.Member("error").Text("message").ShouldEndWith($"colibri release-task {held.Number("number")}");
        (await File.ReadAllLinesAsync(directory.File("starts"), Token)).Length.ShouldBe(3);
        (await client.RefusalAsync(new { cmd = "claim-task", task_id = poison, agent_id = "somebody" })).ShouldBe("conflict");
        (await client.RefusalAsync(new { cmd = "spawn-agent", binary = agent, task_id = poison })).ShouldBe("conflict");
        var list = await daemon.CliAsync("list-tasks", "--status", "queued");
        list.Stdout.ShouldContain("held");
        list.Stdout.ShouldContain("poison: 3 runs");

        await File.WriteAllTextAsync(directory.File("cured"), "", Token);
        (await daemon.CliAsync("release-task", poison)).ExitCode.ShouldBe(0);
        var done = await client.TaskEndedAsync(poison, "done");
        (done.Member("held").GetBoolean(), done.Number("interruptions")).ShouldBe((false, 0));
    }

    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    private static bool IsHeld(ColibriDaemon daemon) => daemon.Log.Contains("of its runs in a row were interrupted", StringComparison.Ordinal);

    private static async Task<bool> AnswersAsync(ColibriDaemon daemon)
    {
        try
        {
            return (await daemon.DataAsync(new { cmd = "ping" })).ValueKind == JsonValueKind.Object;
        }
        catch (Exception notYet) when (notYet is SocketException or EndOfStreamException)
        {
            return false;
        }
    }
}

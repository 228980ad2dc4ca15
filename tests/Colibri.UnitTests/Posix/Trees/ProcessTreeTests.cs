using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Trees;

[NotInParallel]
public sealed class ProcessTreeTests
{
    // A tool of an agent: in a session of its own, its parent gone, deaf to SIGTERM; prints its pid.
    private const string Stray = "(setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 300' &)";

    [Test]
    public async Task A_stray_in_its_own_session_that_ignores_TERM_is_found_and_killed()
    {
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options($"trap '' TERM; {Stray}; sleep 300 & echo $!; wait", marker));
        using (output)
        {
            var tree = new ProcessTree(root, marker);
            var first = await output.ReadProcess();
            var second = await output.ReadProcess();
            tree.Members().ShouldBe([root.Identity, first, second], ignoreOrder: true);
            tree.HasStrays().ShouldBeTrue();

            tree.Signal(Signals.Term).ShouldBe(3);
            tree.Members().Count.ShouldBe(3);
            tree.Signal(Signals.Kill).ShouldBe(3);
            Shell.Until(() => tree.Signal(Signals.Kill) == 0, "the tree is gone");
            (await Shell.Exit(root)).ShouldBe(new ExitStatus(null, Signals.Kill));
            first.IsRunning.ShouldBeFalse();
            second.IsRunning.ShouldBeFalse();
            tree.HasStrays().ShouldBeFalse();
            tree.Members().ShouldBeEmpty();
        }
    }

    [Test]
    public async Task An_orphan_is_found_after_its_root_has_ended()
    {
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options(Stray, marker));
        using (output)
        {
            var tree = new ProcessTree(root, marker);
            var orphan = await output.ReadProcess();
            await Shell.Exit(root);
            tree.HasStrays().ShouldBeTrue();
            tree.Members().ShouldBe([orphan]);
            ProcessTree.FindByMarker(marker).ShouldBe([orphan]);
            Shell.Destroy(tree);
            orphan.IsRunning.ShouldBeFalse();
            tree.HasStrays().ShouldBeFalse();
        }
    }

    [Test]
    public async Task A_child_of_an_orphan_belongs_to_the_tree()
    {
        var marker = Shell.NewMarker();
        const string Inner = "echo $$; exec sleep 300";
        const string Orphan = "env -i sh -c \"$0\" & env -i setsid -f sh -c \"$0\"; wait";
        var (root, output) = Shell.Start(Shell.Options("", marker) with
        {
            Arguments = ["-c", "(setsid sh -c \"$1\" \"$2\" &)", "sh", Orphan, Inner],
        });
        using (output)
        {
            var tree = new ProcessTree(root, marker);
            var one = await output.ReadProcess();
            var two = await output.ReadProcess();
            await Shell.Exit(root);
            tree.Members().ShouldContain(one);
            tree.Members().ShouldContain(two);
            Shell.Destroy(tree);
            one.IsRunning.ShouldBeFalse();
            two.IsRunning.ShouldBeFalse();
        }
    }

    [Test]
    public async Task An_orphan_that_cleared_its_environment_belongs_to_the_only_root_there_was()
    {
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options("(env -i setsid sh -c 'echo $$; exec sleep 300' &)", marker));
        using (output)
        {
            var tree = new ProcessTree(root, marker);
            var orphan = await output.ReadProcess();
            await Shell.Exit(root);
            ProcessTree.FindByMarker(marker).ShouldBeEmpty();
            tree.HasStrays().ShouldBeTrue();
            tree.Members().ShouldBe([orphan]);
            Shell.Destroy(tree);
            orphan.IsRunning.ShouldBeFalse();
        }
    }

    [Test]
    public async Task An_orphan_that_another_living_root_may_have_left_is_nobodys()
    {
        var (older, olderOutput) = Shell.Start(Shell.Options("echo ready; exec sleep 300", Shell.NewMarker()));
        using var _ = olderOutput;
        (await olderOutput.ReadLine()).ShouldBe("ready");
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options("(env -i setsid sh -c 'echo $$; exec sleep 300' &)", marker));
        using (output)
        {
            var tree = new ProcessTree(root, marker);
            var orphan = await output.ReadProcess();
            await Shell.Exit(root);
            tree.Signal(Signals.Kill).ShouldBe(0);
            orphan.IsRunning.ShouldBeTrue();

            older.Signal(Signals.Kill);
            await Shell.Exit(older);
            Shell.Destroy(tree);
            orphan.IsRunning.ShouldBeFalse();
        }
    }

    [Test]
    public async Task A_member_stays_one_when_it_clears_its_environment_afterwards()
    {
        var (older, olderOutput) = Shell.Start(Shell.Options("echo ready; exec sleep 300", Shell.NewMarker()));
        using var _ = olderOutput;
        (await olderOutput.ReadLine()).ShouldBe("ready");
        var marker = Shell.NewMarker();
        var (ours, theirs) = SocketPair.Create();
        using var input = ours;
        ChildProcess root;
        LineReader output;
        using (theirs)
        {
            const string Script = "exec 3<&0; (setsid sh -c 'echo $$; read x <&3; exec env -i sleep 300' &)";
            (root, output) = Shell.Start(Shell.Options(Script, marker) with { StandardInput = theirs });
        }
        using (output)
        {
            var tree = new ProcessTree(root, marker);
            var orphan = await output.ReadProcess();
            await Shell.Exit(root);
            tree.Members().ShouldBe([orphan]);

            await input.SendAsync("go\n"u8.ToArray(), TestContext.Current!.Execution.CancellationToken);
            Shell.Until(() => File.ReadAllText($"/proc/{orphan.Pid}/comm") == "sleep\n", "it runs another program");
            ProcessTree.FindByMarker(marker).ShouldBeEmpty();
            new ProcessTree(root, marker).Members().ShouldBeEmpty();
            tree.Members().ShouldBe([orphan]);
            Shell.Destroy(tree);
            orphan.IsRunning.ShouldBeFalse();
            older.Signal(Signals.Kill);
            await Shell.Exit(older);
        }
    }

    [Test]
    public async Task Of_two_trees_only_the_one_that_is_meant_is_killed()
    {
        var (markerA, markerB) = (Shell.NewMarker(), Shell.NewMarker());
        var (rootA, outputA) = Shell.Start(Shell.Options($"{Stray}; sleep 300 & wait", markerA));
        var (rootB, outputB) = Shell.Start(Shell.Options($"{Stray}; sleep 300 & wait", markerB));
        using (outputA)
        using (outputB)
        {
            var (treeA, treeB) = (new ProcessTree(rootA, markerA), new ProcessTree(rootB, markerB));
            var strayA = await outputA.ReadProcess();
            var strayB = await outputB.ReadProcess();
            Shell.Until(() => treeB.Members().Count == 3, "the second tree is whole");

            Shell.Destroy(treeA);
            await Shell.Exit(rootA);
            strayA.IsRunning.ShouldBeFalse();
            strayB.IsRunning.ShouldBeTrue();
            treeB.Members().Count.ShouldBe(3);
            treeA.HasStrays().ShouldBeFalse();
            Shell.Destroy(treeB);
            await Shell.Exit(rootB);
        }
    }

    [Test]
    public async Task The_tree_of_a_process_that_is_not_our_child_is_found_and_killed()
    {
        var marker = Shell.NewMarker();
        // The one in the middle stands for an agent that an earlier daemon started.
        const string Agent = "echo $$; sleep 300 & (setsid sleep 300 & echo $!); wait";
        var (parent, output) = Shell.Start(Shell.Options("") with
        {
            Arguments = ["-c", "setsid env \"$1\" sh -c \"$2\" & wait", "sh", marker, Agent],
        });
        using (output)
        {
            var root = await output.ReadProcess();
            var stray = await output.ReadProcess();
            var tree = ProcessTree.Of(root, marker);
            tree.HasStrays().ShouldBeTrue();
            Shell.Until(() => tree.Members().Count == 3, "the shell between root and stray has ended");
            tree.Members().ShouldContain(stray);
            Shell.Destroy(tree);
            root.IsRunning.ShouldBeFalse();
            stray.IsRunning.ShouldBeFalse();
            (await Shell.Exit(parent)).Signal.ShouldBeNull();
        }
    }

    [Test]
    public async Task A_pid_with_another_start_time_is_not_running_and_never_signalled()
    {
        var (child, output) = Shell.Start(Shell.Options("echo ready; exec sleep 300", Shell.NewMarker()));
        using (output)
        {
            (await output.ReadLine()).ShouldBe("ready");
            child.Identity.IsRunning.ShouldBeTrue();
            foreach (var stranger in new[]
            {
                child.Identity with { StartTime = child.Identity.StartTime - 1 },
                child.Identity with { StartTime = 0 },
                child.Identity with { BootId = "another boot" },
            })
            {
                stranger.IsRunning.ShouldBeFalse();
                Colibri.Posix.Trees.ProcessSignal.Send(stranger, Signals.Kill).ShouldBeFalse();
                ProcessTree.Of(stranger, Shell.NewMarker()).Signal(Signals.Kill).ShouldBe(0);
                ProcessTree.Of(stranger, Shell.NewMarker()).HasStrays().ShouldBeFalse();
            }
            child.Identity.IsRunning.ShouldBeTrue();
            child.Signal(Signals.Kill).ShouldBeTrue();
            (await Shell.Exit(child)).Signal.ShouldBe(Signals.Kill);
        }
    }

    [Test]
    public void This_process_and_init_are_never_signalled()
    {
        ProcessIdentity.TryRead(Environment.ProcessId, out var self).ShouldBeTrue();
        ProcessIdentity.TryRead(1, out var init).ShouldBeTrue();
        foreach (var identity in new[] { self, init, default, new ProcessIdentity(-1, 1, BootId.Current) })
            Colibri.Posix.Trees.ProcessSignal.Send(identity, 0).ShouldBeFalse();
        ProcessTree.Of(self, Shell.NewMarker()).Members().ShouldNotContain(self);
    }

    [Test]
    [Arguments("")]
    [Arguments("COLIBRI_AGENT_ID")]
    [Arguments("COLIBRI_AGENT_ID=")]
    [Arguments("=x")]
    public void A_marker_without_a_value_is_refused(string marker) =>
        Should.Throw<ArgumentException>(() => ProcessTree.FindByMarker(marker));
}

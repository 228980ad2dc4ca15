using Colibri.Posix.Cgroups;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Cgroups;

/// <summary>Trees in real cgroups; skipped, with the reason, where none can be made.</summary>
[NotInParallel]
public sealed class CgroupTreeTests : IDisposable
{
    private readonly string _name = $"colibri-{Guid.NewGuid()}";
    private Cgroup? _cgroup;

    public void Dispose()
    {
        if (_cgroup is not null)
            Shell.Until(_cgroup.TryRemove, "the cgroup is removed");
    }

    [Test]
    public async Task An_orphan_that_cleared_its_environment_is_found_whatever_other_roots_there_are()
    {
        var cgroup = Make();
        var (older, olderOutput) = Shell.Start(Shell.Options("echo ready; exec sleep 300", Shell.NewMarker()));
        using var _ = olderOutput;
        (await olderOutput.ReadLine()).ShouldBe("ready");
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options(RealCgroups.Escaping(cgroup), marker) with { Cgroup = cgroup });
        using (output)
        {
            var orphan = await output.ReadProcess();
            await Shell.Exit(root);
            new ProcessTree(root, marker).Members().ShouldBeEmpty("the sweep alone cannot tell whose it is");

            var tree = new ProcessTree(root, marker, cgroup);
            tree.HasStrays().ShouldBeTrue();
            tree.Members().ShouldBe([orphan]);
            tree.CountLeft().ShouldBe(1);
            Shell.Destroy(tree);
            orphan.IsRunning.ShouldBeFalse();
            tree.HasStrays().ShouldBeFalse();
            tree.CountLeft().ShouldBe(0);
            older.Identity.IsRunning.ShouldBeTrue();
            older.Signal(Signals.Kill);
            await Shell.Exit(older);
        }
    }

    [Test]
    public async Task A_polite_signal_reaches_what_only_the_cgroup_knows()
    {
        var cgroup = Make();
        var marker = Shell.NewMarker();
        var script = $"until grep -qx $$ {cgroup.Path}/cgroup.procs; do :; done; "
            + "(env -i setsid sh -c 'trap \"echo asked; exit\" TERM; echo $$; while :; do sleep 1; done' &)";
        var (root, output) = Shell.Start(Shell.Options(script, marker) with { Cgroup = cgroup });
        using (output)
        {
            await output.ReadProcess();
            await Shell.Exit(root);
            var tree = new ProcessTree(root, marker, cgroup);
            tree.Signal(Signals.Term).ShouldBeGreaterThanOrEqualTo(1);
            (await output.ReadLine()).ShouldBe("asked");
            Shell.Destroy(tree);
        }
    }

    [Test]
    public async Task A_child_that_was_forked_before_its_parent_was_placed_is_placed_with_it()
    {
        for (var i = 0; i < 10; i++)
        {
            var cgroup = RealCgroups.Own().Create($"{_name}-{i}");
            var marker = Shell.NewMarker();
            var (root, output) = Shell.Start(Shell.Options("(sleep 300 & echo $!; wait) & echo $!; wait", marker) with { Cgroup = cgroup });
            using (output)
            {
                ProcessIdentity[] below = [await output.ReadProcess(), await output.ReadProcess()];
                cgroup.Processes().ShouldBe([root.Pid, below[0].Pid, below[1].Pid], ignoreOrder: true);
                Shell.Destroy(new ProcessTree(root, marker, cgroup));
                await Shell.Exit(root);
                Shell.Until(cgroup.TryRemove, "the cgroup is removed");
            }
        }
    }

    [Test]
    public async Task What_forks_faster_than_it_can_be_looked_at_is_ended_at_once()
    {
        var cgroup = Make();
        var marker = Shell.NewMarker();
        // Each generation leaves one that does the same, in a session of its own and without the marker.
        const string Runaway = "env -i PATH=/usr/bin:/bin setsid sh -c 'sh -c \"$0\" \"$0\" & sleep 0.02; exit' \"$0\" &";
        var (root, output) = Shell.Start(Shell.Options("", marker) with
        {
            Arguments = ["-c", $"until grep -qx $$ {cgroup.Path}/cgroup.procs; do :; done; sh -c \"$0\" \"$0\"; echo running; exec sleep 300", Runaway],
            Cgroup = cgroup,
        });
        using (output)
        {
            (await output.ReadLine()).ShouldBe("running");
            var tree = new ProcessTree(root, marker, cgroup);
            Shell.Destroy(tree);
            await Shell.Exit(root);
            tree.CountLeft().ShouldBe(0);
            cgroup.IsPopulated.ShouldBeFalse();
        }
    }

    [Test]
    public async Task Children_that_end_before_they_are_placed_are_reported_all_the_same()
    {
        var own = RealCgroups.Own();
        var children = new ChildProcess[64];
        var cgroups = new Cgroup[children.Length];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(part => Task.Run(
            () =>
            {
                for (var i = part; i < children.Length; i += 4)
                {
                    cgroups[i] = own.Create($"{_name}-{i}");
                    children[i] = SharedChildren.Instance.Spawn(Shell.Options($"exit {i}") with { Cgroup = cgroups[i] });
                    // Others are started and reaped meanwhile.
                    SharedChildren.Instance.Spawn(Shell.Options("exit 0"));
                }
            },
            TestContext.Current!.Execution.CancellationToken)));
        for (var i = 0; i < children.Length; i++)
        {
            (await Shell.Exit(children[i])).ShouldBe(new ExitStatus(i, null));
            cgroups[i].PlacementError.ShouldBe(0);
            Shell.Until(cgroups[i].TryRemove, "an empty cgroup is removed");
        }
    }

    [Test]
    public async Task Cgroups_that_an_agent_made_in_its_own_are_ended_and_removed_with_it()
    {
        var cgroup = Make();
        var marker = Shell.NewMarker();
        var script = $"until grep -qx $$ {cgroup.Path}/cgroup.procs; do :; done; "
            + $"mkdir -p {cgroup.Path}/a/b && echo 0 > {cgroup.Path}/a/b/cgroup.procs && (env -i setsid sh -c 'echo $$; exec sleep 300' &)";
        var (root, output) = Shell.Start(Shell.Options(script, marker) with { Cgroup = cgroup });
        using (output)
        {
            var deep = await output.ReadProcess();
            await Shell.Exit(root);
            cgroup.TryRemove().ShouldBeFalse();
            var tree = new ProcessTree(root, marker, cgroup);
            tree.Members().ShouldBe([deep]);
            Shell.Destroy(tree);
            Shell.Until(cgroup.TryRemove, "the cgroup is removed with those below");
            Directory.Exists(cgroup.Path).ShouldBeFalse();
        }
    }

    [Test]
    public async Task A_child_that_cannot_be_placed_runs_on_without()
    {
        var cgroup = Make();
        cgroup.TryRemove().ShouldBeTrue();
        var child = SharedChildren.Instance.Spawn(Shell.Options("exit 7") with { Cgroup = cgroup });
        (await Shell.Exit(child)).ShouldBe(new ExitStatus(7, null));
        cgroup.PlacementError.ShouldNotBe(0);
    }

    private Cgroup Make() => _cgroup = RealCgroups.Own().Create(_name);
}

using System.Diagnostics;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Processes;

/// <summary>Linux shows no environment in the last part of an exec, which on a busy machine takes milliseconds.</summary>
[NotInParallel]
public sealed class ExecutingProcessTests
{
    [Test]
    public async Task A_stray_in_the_middle_of_an_exec_belongs_to_its_tree_beside_another_root()
    {
        await using var family = await OrphanBesideAnotherRoot.Make();
        using var executing = new Executing(TimeSpan.FromMilliseconds(30), family.Orphan.Pid);

        family.Tree.Members().ShouldBe([family.Orphan]);
        executing.Seen.ShouldBe(1);
    }

    [Test]
    public async Task A_process_in_the_middle_of_an_exec_is_found_by_its_marker()
    {
        await using var family = await OrphanBesideAnotherRoot.Make();
        using var executing = new Executing(TimeSpan.FromMilliseconds(30), family.Orphan.Pid);

        ProcessTree.FindByMarker(family.Marker).ShouldBe([family.Orphan]);
        executing.Seen.ShouldBe(1);
    }

    [Test]
    public void Processes_that_look_like_that_for_ever_hold_a_sweep_up_by_a_tenth_of_a_second_together()
    {
        int[] pids = [.. Enumerable.Range(50_000_000, 20)];
        using var executing = new Executing(TimeSpan.FromMinutes(5), pids);
        var wait = new ExecWait();
        var since = Stopwatch.GetTimestamp();

        foreach (var pid in pids)
            wait.For(pid);

        // Each for itself they would take two seconds.
        Stopwatch.GetElapsedTime(since).ShouldBeInRange(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1.5));
        executing.Seen.ShouldBe(pids.Length);
    }

    [Test]
    public async Task A_process_without_an_environment_is_not_waited_for()
    {
        var (root, output) = Shell.Start(Shell.Options("exec env -i sh -c 'echo ready; while :; do sleep 1; done'", Shell.NewMarker()));
        using (output)
        {
            (await output.ReadLine()).ShouldBe("ready");
            File.ReadAllBytes($"/proc/{root.Pid}/environ").ShouldBeEmpty();
            ProcessEnvironment.IsExecuting(root.Pid).ShouldBeFalse();
            root.SignalGroup(Signals.Kill);
            await Shell.Exit(root);
        }
    }

    /// <summary>An orphan whose root has ended, while another root lives: without its marker it would be nobody's.</summary>
    private sealed class OrphanBesideAnotherRoot(ChildProcess older, ProcessTree tree, ProcessIdentity orphan, string marker) : IAsyncDisposable
    {
        public ProcessTree Tree => tree;

        public ProcessIdentity Orphan => orphan;

        public string Marker => marker;

        public static async Task<OrphanBesideAnotherRoot> Make()
        {
            var (older, olderOutput) = Shell.Start(Shell.Options("echo ready; exec sleep 300", Shell.NewMarker()));
            using var _ = olderOutput;
            (await olderOutput.ReadLine()).ShouldBe("ready");
            var marker = Shell.NewMarker();
            var (root, output) = Shell.Start(Shell.Options("(setsid sh -c 'echo $$; exec sleep 300' &)", marker));
            using var __ = output;
            var orphan = await output.ReadProcess();
            await Shell.Exit(root);
            Shell.Until(() => Shell.IsSleep(orphan.Pid), "the orphan has executed");
            return new OrphanBesideAnotherRoot(older, new ProcessTree(root, marker), orphan, marker);
        }

        public async ValueTask DisposeAsync()
        {
            Shell.Destroy(tree);
            older.Signal(Signals.Kill);
            await Shell.Exit(older);
        }
    }

    /// <summary>Shows neither environment nor arguments of some processes, for a while from the first look at each.</summary>
    private sealed class Executing : EnvironmentCalls, IDisposable
    {
        private readonly TimeSpan _time;
        private readonly int[] _pids;
        private readonly Dictionary<int, long> _since = [];
        private readonly HashSet<int> _empty = [];

        public Executing(TimeSpan time, params int[] pids)
        {
            (_time, _pids) = (time, pids);
            ProcessEnvironment.Calls = this;
        }

        /// <summary>How many of them were looked at.</summary>
        public int Seen => _since.Count;

        public override int Open(int pid)
        {
            var hides = Hides(pid);
            var fd = base.Open(hides ? Environment.ProcessId : pid);
            _empty.Remove(fd);
            if (hides)
                _empty.Add(fd);
            return fd;
        }

        public override int Read(int fd, Span<byte> buffer) => _empty.Contains(fd) ? 0 : base.Read(fd, buffer);

        public override bool HasNoArguments(int pid) => Hides(pid) || base.HasNoArguments(pid);

        public void Dispose() => ProcessEnvironment.Calls = new EnvironmentCalls();

        private bool Hides(int pid)
        {
            if (!_pids.Contains(pid))
                return false;
            _since.TryAdd(pid, Stopwatch.GetTimestamp());
            return Stopwatch.GetElapsedTime(_since[pid]) < _time;
        }
    }
}

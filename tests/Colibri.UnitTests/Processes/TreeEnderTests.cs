using Colibri.Core.Processes;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Processes;

[NotInParallel]
public sealed class TreeEnderTests
{
    [Test]
    public async Task Trees_that_are_ended_at_the_same_time_are_looked_for_together()
    {
        const int Trees = 20;
        const int Members = 3;
        var counting = new CountingEnvironment();
        var before = ProcessEnvironment.Calls;
        var started = new List<(ChildProcess Root, LineReader Output, ProcessTree Tree)>();
        using var enough = new CancellationTokenSource();
        try
        {
            for (var i = 0; i < Trees; i++)
            {
                var marker = Shell.NewMarker();
                var (root, output) = Shell.Start(Shell.Options("trap 'echo asked' TERM; trap '' HUP; sleep 300 & echo ready; while :; do sleep 300; done", marker));
                started.Add((root, output, new ProcessTree(root, marker)));
                (await output.ReadLine()).ShouldBe("ready");
            }
            foreach (var (_, _, tree) in started)
                Shell.Until(() => tree.Members().Count == Members, "the tree is whole");
            ProcessEnvironment.Calls = counting;

            // The clock stands still: each looks once, to ask its tree to end.
            var ends = started.ConvertAll(one => new TreeEnder(one.Tree, "a", new FakeTime(), new CollectingLogger()).EndAsync(null, enough.Token));
            foreach (var (_, output, _) in started)
                (await output.ReadLine()).ShouldBe("asked");

            // Alone, each would read the environment of the members of all others: those started after it: 190 x 3.
            counting.Opened.ShouldBeLessThan(Trees * Members * 5);
            await enough.CancelAsync();
            foreach (var end in ends)
                await Should.ThrowAsync<OperationCanceledException>(end);
        }
        finally
        {
            ProcessEnvironment.Calls = before;
            await enough.CancelAsync();
            foreach (var (_, output, tree) in started)
            {
                Shell.Destroy(tree);
                output.Dispose();
            }
        }
    }

    private sealed class CountingEnvironment : EnvironmentCalls
    {
        private int _opened;

        public int Opened => Volatile.Read(ref _opened);

        public override int Open(int pid)
        {
            Interlocked.Increment(ref _opened);
            return base.Open(pid);
        }
    }
}

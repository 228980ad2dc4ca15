using System.Runtime.CompilerServices;
using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Posix.Host;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Daemon.Hosting;

[NotInParallel]
public sealed class UnobservedFailuresTests
{
    [Test]
    public async Task A_task_that_failed_and_that_nobody_looked_at_is_logged_and_fails_the_run_of_the_tests()
    {
        var (exit, output) = await OwnProcess.Run(typeof(UnobservedFailuresTests), nameof(Fails_a_task_unobserved));
        exit.Code.ShouldBe(2, output);
        output.ShouldContain("succeeded: 1", Case.Sensitive, "the test itself is green: the failure was logged");
        output.ShouldContain("nobody minds");
    }

    [Test, Explicit]
    public void Fails_a_task_unobserved()
    {
        var logger = new CollectingLogger();
        using (new UnobservedFailures(logger))
        {
            FailLookedAt();
            Collect();
            logger.Of(112).ShouldBeEmpty();
            FailUnobserved();
            Collect();
        }
        logger.Of(112).ShouldHaveSingleItem().ShouldContain("nobody minds");
    }

    // In methods of their own: nothing may hold the task when it is to be collected.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FailUnobserved() => _ = Task.FromException(new InvalidDataException("nobody minds"));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FailLookedAt() => Task.FromException(new InvalidDataException("somebody minds")).Exception.ShouldNotBeNull();

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}

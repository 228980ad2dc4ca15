using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.UnitTests.Posix.Host;

[NotInParallel]
public sealed class ResourceLimitsTests
{
    [Test]
    public void The_limit_of_open_files_is_never_lowered()
    {
        var before = ResourceLimits.RaiseOpenFiles(1);
        before.Soft.ShouldBeGreaterThan(1);
        before.Hard.ShouldBeGreaterThanOrEqualTo(before.Soft);
        ResourceLimits.RaiseOpenFiles(before.Soft - 1).ShouldBe(before);
    }

    [Test]
    public Task A_low_limit_of_open_files_is_raised() => OwnProcess.RunsGreen(typeof(ResourceLimitsTests), nameof(Raises_a_low_limit));

    [Test, Explicit]
    public unsafe void Raises_a_low_limit()
    {
        // The installed runtime has raised it already, a native executable has not.
        var low = new ResourceLimit(400, 700);
        Libc.setrlimit(AbiConstants.Current.RLIMIT_NOFILE, &low).ShouldBe(0);
        ResourceLimits.RaiseOpenFiles(500).ShouldBe((500, 700));
        ResourceLimits.RaiseOpenFiles(450).ShouldBe((500, 700));
        ResourceLimits.RaiseOpenFiles(1_000_000).ShouldBe((700, 700));
        ResourceLimit now;
        Libc.getrlimit(AbiConstants.Current.RLIMIT_NOFILE, &now).ShouldBe(0);
        now.ShouldBe(new ResourceLimit(700, 700));
    }
}

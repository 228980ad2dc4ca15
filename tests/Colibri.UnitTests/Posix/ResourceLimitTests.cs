using Colibri.Posix;
using Colibri.Posix.Interop;

namespace Colibri.UnitTests.Posix;

[Collection(ProcessesCollection.Name)]
public sealed class ResourceLimitTests
{
    [Fact]
    public void The_limit_of_open_files_is_never_lowered()
    {
        var before = ResourceLimits.RaiseOpenFiles(1);
        before.Soft.ShouldBeGreaterThan(1);
        before.Hard.ShouldBeGreaterThanOrEqualTo(before.Soft);
        ResourceLimits.RaiseOpenFiles(before.Soft - 1).ShouldBe(before);
    }

    [Fact]
    public Task A_low_limit_of_open_files_is_raised() => OwnProcess.RunsGreen(typeof(ResourceLimitTests), nameof(Raises_a_low_limit));

    [Fact(Explicit = true)]
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

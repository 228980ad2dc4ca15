using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A Linux executable on FreeBSD's kernel, by what uname(2) answers there.</summary>
public sealed class HostKernelTests
{
    [Test]
    [Arguments(null, true)]
    [Arguments("FreeBSD 15.1-RELEASE-p1 releng/15.1-n281018 GENERIC", false)]
    public async Task The_kernel_is_told_by_its_own_version_whatever_userland_is_around(string? kernel, bool isLinux)
    {
        using var folder = new TempDirectory();
        await using var daemon = await ColibriDaemon.StartThroughAsync(Strace.Command(folder.File("trace"), "uname", kernel));
        // Cgroups are Linux's: elsewhere there is no word of them.
        (await daemon.DataAsync(new { cmd = "status" })).Has("cgroup").ShouldBe(isLinux);
    }
}

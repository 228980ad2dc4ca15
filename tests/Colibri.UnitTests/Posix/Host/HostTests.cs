using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Signalling;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Host;

[NotInParallel]
public sealed class HostTests
{
    [Test]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void The_owner_of_a_file_is_read()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
            var owner = FileOwner.Of(path);
            (owner.Uid, owner.Gid).ShouldBe((ProcessUser.EffectiveUid, ProcessUser.EffectiveGid));
            // S_IFREG
            Convert.ToString(owner.Mode, 8).ShouldBe("100440");
        }
        finally
        {
            File.Delete(path);
        }
        Should.Throw<IOException>(() => FileOwner.Of(path)).Message.ShouldBe($"cannot stat {path}: No such file or directory (ENOENT)");
    }

    [Test]
    [Arguments("#1 SMP PREEMPT_DYNAMIC Debian 6.1.99-1 (2026-07-15)", OperatingSystemKind.Linux)]
    [Arguments("#1 SMP for the FreeBSD ports' test machines", OperatingSystemKind.Linux)]
    [Arguments("", OperatingSystemKind.Linux)]
    [Arguments("FreeBSD 15.1-RELEASE-p1 releng/15.1-n281018 GENERIC", OperatingSystemKind.LinuxOnFreeBsd)]
    public void What_runs_a_Linux_executable_is_told_by_its_kernels_version(string version, OperatingSystemKind kind) =>
        HostPlatform.OfLinuxAbi(version).ShouldBe(kind);

    [Test]
    public void The_kernels_version_is_read()
    {
        Skip.Unless(HostPlatform.Kind == OperatingSystemKind.Linux, "not Linux");
        HostPlatform.LinuxKernelVersion().ShouldBe(File.ReadAllText("/proc/sys/kernel/version").TrimEnd('\n'));
    }

    [Test]
    public unsafe void An_inherited_ignore_of_HUP_is_undone_unless_it_is_wanted()
    {
        _ = Libc.signal(Signals.Hup, AbiConstants.SIG_IGN);
        SignalSetup.ResetInherited(keepHangup: true);
        Handler(Signals.Hup).ShouldBe(AbiConstants.SIG_IGN);
        SignalSetup.ResetInherited();
        Handler(Signals.Hup).ShouldBe(AbiConstants.SIG_DFL);

        // A handler is not an ignore: the runtime's own for SIGCHLD stays.
        _ = SharedChildren.Instance;
        var chld = Handler(Signals.Chld);
        chld.ShouldBeGreaterThan(AbiConstants.SIG_IGN);
        SignalSetup.ResetInherited();
        Handler(Signals.Chld).ShouldBe(chld);

        static long Handler(int signal)
        {
            var action = stackalloc long[19];
            Libc.sigaction(signal, null, action).ShouldBe(0);
            return action[0];
        }
    }
}

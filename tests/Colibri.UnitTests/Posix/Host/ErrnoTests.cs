using Colibri.Posix.Host;

namespace Colibri.UnitTests.Posix.Host;

public sealed class ErrnoTests
{
    /// <summary>What may be there again later makes a task wait; anything else ends it, because the third try would fail as well.</summary>
    [Test]
    [Arguments("EAGAIN", true)]
    [Arguments("ENOMEM", true)]
    [Arguments("EMFILE", true)]
    [Arguments("ENFILE", true)]
    [Arguments("ENOBUFS", true)]
    [Arguments("ENOSPC", true)]
    [Arguments("EDQUOT", true)]
    [Arguments("ETXTBSY", true)]
    [Arguments("ENOENT", false)]
    [Arguments("EACCES", false)]
    [Arguments("ENOEXEC", false)]
    [Arguments("E2BIG", false)]
    [Arguments("ENOTDIR", false)]
    [Arguments("ELOOP", false)]
    public void A_lack_is_told_from_what_stays(string name, bool mayPass)
    {
        var (linux, freeBsd, _, _) = Errno.Table.Single(row => row.Name == name);
        Errno.IsShortage(HostPlatform.UsesLinuxAbi ? linux : freeBsd).ShouldBe(mayPass);
    }
}

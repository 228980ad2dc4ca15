using System.Runtime.InteropServices;
using Colibri.Posix.Host;

namespace Colibri.UnitTests.Posix.Host;

public sealed class DataSyncTests
{
    [Test]
    public void A_file_written_again_reads_as_before()
    {
        var path = Path.GetTempFileName();
        var bytes = new byte[200_001];
        Random.Shared.NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        using (var file = DataSync.Open(path))
        {
            file.WriteAgain();
            file.Flush();
        }
        File.ReadAllBytes(path).ShouldBe(bytes);
        File.Delete(path);
    }

    [Test]
    public void A_file_that_is_not_there_or_cannot_be_synced_is_named()
    {
        Should.Throw<IOException>(() => DataSync.Open("/nonexistent/log")).Message.ShouldBe("cannot open /nonexistent/log: No such file or directory (ENOENT)");
        // fdatasync(2) and fsync(2): a special file that does not support synchronisation.
        using var special = DataSync.Open("/dev/null");
        Should.Throw<IOException>(special.Flush).Message.ShouldBe("cannot sync /dev/null: Invalid argument (EINVAL)");
    }

    [Test]
    [Arguments(OperatingSystemKind.Linux, false)]
    [Arguments(OperatingSystemKind.FreeBsd, true)]
    [Arguments(OperatingSystemKind.LinuxOnFreeBsd, true)]
    public void On_FreeBSD_it_is_fsync_that_makes_content_durable(OperatingSystemKind kind, bool isFsync) =>
        SyncCall.TakesFsync(kind).ShouldBe(isFsync);

    [Test]
    public unsafe void Who_calls_it_from_C_finds_the_reason_in_errno()
    {
        delegate* unmanaged<int, int> linked = &SyncCall.Linked;
        Marshal.SetLastSystemError(0);
        var (result, error) = (linked(-1), Marshal.GetLastSystemError());
        // EBADF, the same on both systems.
        (result, error).ShouldBe((-1, 9));

        using var file = File.OpenHandle(Path.GetTempFileName(), options: FileOptions.DeleteOnClose);
        linked((int)file.DangerousGetHandle()).ShouldBe(0);
    }
}

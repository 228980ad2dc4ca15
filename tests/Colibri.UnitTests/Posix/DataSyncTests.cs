using Colibri.Posix;

namespace Colibri.UnitTests.Posix;

public sealed class DataSyncTests
{
    [Fact]
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

    [Fact]
    public void A_file_that_is_not_there_or_cannot_be_synced_is_named()
    {
        Should.Throw<IOException>(() => DataSync.Open("/nonexistent/log")).Message.ShouldBe("cannot open /nonexistent/log: No such file or directory (ENOENT)");
        // fdatasync(2): a special file that does not support synchronisation.
        using var special = DataSync.Open("/dev/null");
        Should.Throw<IOException>(special.Flush).Message.ShouldBe("cannot sync /dev/null: Invalid argument (EINVAL)");
    }
}

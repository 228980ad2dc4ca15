using Colibri.Posix.Host;

namespace Colibri.UnitTests.Posix.Host;

public sealed class DescriptorStreamTests
{
    [Test]
    public void Two_writers_of_one_descriptor_write_one_behind_the_other()
    {
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
            {
                var descriptor = (int)file.DangerousGetHandle();
                using var one = new DescriptorStream(descriptor);
                using var other = new DescriptorStream(descriptor);
                one.Write("ab"u8);
                other.Write("cd"u8);
                one.Write("ef"u8);
            }

            File.ReadAllText(path).ShouldBe("abcdef");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void A_descriptor_that_takes_nothing_is_named()
    {
        using var file = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Read);
        using var stream = new DescriptorStream((int)file.DangerousGetHandle());

        Should.Throw<IOException>(() => stream.Write("a"u8)).Message.ShouldContain("(EBADF)");
    }

    [Test]
    public void A_full_disk_is_told()
    {
        Skip.Unless(File.Exists("/dev/full"), "no /dev/full here");
        using var file = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
        using var stream = new DescriptorStream((int)file.DangerousGetHandle());

        Should.Throw<IOException>(() => stream.Write("a"u8)).Message.ShouldContain("(ENOSPC)");
    }
}

using Colibri.Posix.Host;

namespace Colibri.UnitTests.Posix.Host;

public sealed class InodeLockTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-inode-").FullName;

    private string File(string name) => Path.Combine(_directory, name);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void It_goes_with_the_file_and_not_with_its_name()
    {
        Skip.Unless(HostPlatform.Kind == OperatingSystemKind.Linux, "elsewhere the lock is the process's, which does not keep itself out");
        System.IO.File.WriteAllText(File("a"), "");
        using var held = InodeLock.TryTake(File("a"))!;
        held.Identity.ShouldBe(FileIdentity.Of(File("a"))!.Value);
        InodeLock.TryTake(File("a")).ShouldBeNull();

        System.IO.File.Move(File("a"), File("b"));
        InodeLock.TryTake(File("b")).ShouldBeNull("it is the same file");
        System.IO.File.CreateSymbolicLink(File("c"), File("b"));
        InodeLock.TryTake(File("c")).ShouldBeNull("it leads to the same file");

        System.IO.File.WriteAllText(File("a"), "");
        using var other = InodeLock.TryTake(File("a"));
        other.ShouldNotBeNull("it is another file");
        held.Renew().ShouldBeTrue();
    }

    [Test]
    public void It_ends_with_its_descriptor()
    {
        System.IO.File.WriteAllText(File("a"), "");
        InodeLock.TryTake(File("a"))!.Dispose();
        using var again = InodeLock.TryTake(File("a"));
        again.ShouldNotBeNull();
    }

    [Test]
    public void A_look_tells_what_is_there()
    {
        FileLook.At(File("a")).IsMissing.ShouldBeTrue();
        FileLook.At(File("a/b")).IsMissing.ShouldBeTrue();
        FileLook.AtName(_directory).Kind.ShouldBe("a directory");
        System.IO.File.WriteAllText(File("a"), "");
        FileLook.At(File("a")).Kind.ShouldBe("a file");
        FileLook.At(File("a/b")).IsMissing.ShouldBeTrue();
        System.IO.File.CreateSymbolicLink(File("l"), File("a"));
        FileLook.AtName(File("l")).Kind.ShouldBe("a symbolic link");
        FileLook.At(File("l")).Identity.ShouldBe(FileIdentity.Of(File("a")));
        FileLook.IsWritable(File("a"), out _).ShouldBeTrue();
        FileLook.IsWritable(File("nothing"), out var problem).ShouldBeFalse();
        problem.ShouldContain("ENOENT");
    }

    [Test]
    public async Task Two_holders_of_a_directory_take_turns_and_patience_ends()
    {
        var held = DirectoryLock.Take(_directory, TimeSpan.FromSeconds(30));
        DirectoryLock.Take(_directory, TimeSpan.FromMilliseconds(1)).Dispose();
        var second = Task.Run(() => DirectoryLock.Take(_directory, TimeSpan.FromSeconds(30)).Dispose());
        second.IsCompleted.ShouldBeFalse();
        held.Dispose();
        await second.WaitAsync(TimeSpan.FromSeconds(20));
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>What a start that the system refuses says: the path, the cause, and what to type.</summary>
[NotInParallel]
public sealed class FailedExecTests : IDisposable
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-exec-").FullName;
    private string? _mount;

    public void Dispose()
    {
        if (_mount is not null)
            Shell.Run(Shell.Options($"umount '{_mount}'")).GetAwaiter().GetResult();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    [Arguments("echo hi\n", "it is a text that has no interpreter line (#!): begin it with #!/bin/sh, or whatever runs it")]
    [Arguments("", "it is empty")]
    [Arguments("#!\n", "its interpreter line (#!) names no program")]
    [Arguments("\ufeff#!/bin/sh\n", "a byte order mark stands before its interpreter line (#!)")]
    [Arguments("MZ\0\0", "it is a program for Windows")]
    [Arguments("\u0001\0\u0002", "it is no program of a kind that this system knows")]
    [Arguments("\u007fELF", "it is an ELF file that is cut short")]
    public void What_is_no_program_says_what_it_is(string content, string said)
    {
        var failure = Fail(Write(content));
        failure.Errno.ShouldBe(AbiConstants.ENOEXEC, failure.Message);
        failure.Message.ShouldContain($"(ENOEXEC); {said}");
    }

    [Test]
    [Arguments("#!/no/such/interpreter\n", "its interpreter /no/such/interpreter is not there: install it, or correct the first line")]
    [Arguments("#! /no/such/interpreter -x\n", "its interpreter /no/such/interpreter is not there")]
    [Arguments("#!/bin/sh\r\n", "its first line ends with a carriage return")]
    [Arguments("#!/no/\u001b[31m\n", "its interpreter /no/?[31m is not there")]
    public void A_script_whose_interpreter_is_missing_names_it(string content, string said)
    {
        var failure = Fail(Write(content));
        failure.Errno.ShouldBe(AbiConstants.ENOENT);
        failure.Message.ShouldContain($"(ENOENT); {said}");
    }

    [Test]
    public void An_interpreter_that_is_not_executable_is_named_with_what_to_type() =>
        Fail(Write("#!/etc/passwd\n")).Message.ShouldEndWith("(EACCES); of its interpreter /etc/passwd: it is not executable (mode 644): chmod +x /etc/passwd");

    [Test]
    public void A_program_of_another_processor_says_so()
    {
        var program = File.ReadAllBytes("/bin/true");
        BinaryPrimitives.WriteUInt16LittleEndian(program.AsSpan(18), 22);
        Fail(Write(program)).Message.ShouldEndWith(
            $"(ENOEXEC); it is built for s390, and this machine is {(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "x86-64" : "aarch64")}");
    }

    [Test]
    public void A_program_whose_loader_is_missing_names_it()
    {
        var program = File.ReadAllBytes("/bin/true");
        var loader = Encoding.UTF8.GetString(program)[Encoding.UTF8.GetString(program).IndexOf("/lib", StringComparison.Ordinal)..].Split('\0')[0];
        var at = program.AsSpan().IndexOf(Encoding.UTF8.GetBytes(loader));
        Encoding.UTF8.GetBytes(loader.Replace("/ld-", "/xx-", StringComparison.Ordinal)).CopyTo(program, at);
        Fail(Write(program)).Message.ShouldContain($"(ENOENT); it needs the loader {loader.Replace("/ld-", "/xx-", StringComparison.Ordinal)}, which is not there");
    }

    [Test]
    public void A_link_to_nothing_says_where_it_leads()
    {
        var link = Path.Combine(_directory, "link");
        File.CreateSymbolicLink(link, "/no/such/target");
        Fail(link).Message.ShouldEndWith("(ENOENT); it is a link to /no/such/target, which is not there");
    }

    [Test]
    public void A_file_that_is_open_for_writing_says_so()
    {
        var path = Write("#!/bin/sh\n");
        using var open = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        var failure = Fail(path);
        failure.Errno.ShouldBe(AbiConstants.ETXTBSY);
        failure.Message.ShouldEndWith("(ETXTBSY); it is open for writing: somebody is replacing it");
        Errno.IsShortage(failure.Errno).ShouldBeTrue("it may pass");
    }

    [Test]
    public async Task A_mount_without_exec_is_named_with_what_to_type()
    {
        var place = Directory.CreateDirectory(Path.Combine(_directory, "noexec")).FullName;
        var (exit, output) = await Shell.Run(Shell.Options($"mount -t tmpfs -o size=1m,noexec tmpfs '{place}'"));
        Skip.Unless(exit.Code == 0, $"nothing can be mounted here: {output.Trim()}");
        _mount = place;
        Directory.CreateDirectory(Path.Combine(place, "below"));
        var path = Write("#!/bin/sh\n", Path.Combine(place, "below/agent"));
        Fail(path).Message.ShouldEndWith($"(EACCES); it lies below {place}, which is mounted noexec: put it elsewhere, or mount -o remount,exec {place}");
        var link = Path.Combine(_directory, "link");
        File.CreateSymbolicLink(link, path);
        Fail(link).Message.ShouldContain("which is mounted noexec");
    }

    [Test]
    public void What_is_too_long_says_which_and_what_to_do()
    {
        var failure = Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Environment = EnvironmentBlock.Of([new("LONG", new string('x', 200_000))]) }));
        failure.Message.ShouldContain("the longest is the variable LONG");
        Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options(new string('x', 200_000)))).Message.ShouldContain("use rpc, which sends the prompt on standard input");
    }

    private string Write(string content) => Write(Encoding.UTF8.GetBytes(content));

    private string Write(byte[] content)
    {
        var path = Path.Combine(_directory, Guid.NewGuid().ToString());
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, Executable);
        return path;
    }

    private static string Write(string content, string path)
    {
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, Executable);
        return path;
    }

    private static SpawnException Fail(string path) =>
        Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Path = path, Arguments = [] }));
}

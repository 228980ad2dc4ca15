using System.Globalization;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Microsoft.Win32.SafeHandles;

namespace Colibri.UnitTests.Posix.Spawning;

[NotInParallel]
public sealed class SpawnTests
{
    [Test]
    public async Task A_child_gets_exactly_its_arguments()
    {
        var options = Shell.Options("") with { Arguments = ["-c", "printf '%s|' \"$0\" \"$@\"", "zero", "", "a b", "$HOME \"'\\", "ü\n\u2028"] };
        (await Shell.Run(options)).Output.ShouldBe("zero||a b|$HOME \"'\\|ü\n\u2028|");
    }

    [Test]
    public async Task A_child_gets_exactly_its_environment()
    {
        var options = new SpawnOptions
        {
            Path = "/usr/bin/env",
            Arguments = [],
            Environment = EnvironmentBlock.Of(new Dictionary<string, string> { ["A"] = "1", ["B"] = "x=y z", ["EMPTY"] = "" }),
        };
        (await Shell.Run(options)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(["A=1", "B=x=y z", "EMPTY="], ignoreOrder: true);
    }

    [Test]
    public async Task A_child_starts_in_its_working_directory()
    {
        var directory = Directory.CreateTempSubdirectory("colibri-posix-");
        try
        {
            var (exit, output) = await Shell.Run(Shell.Options("pwd -P") with { WorkingDirectory = directory.FullName });
            exit.ShouldBe(new ExitStatus(0, null));
            output.TrimEnd().ShouldBe(directory.FullName);
        }
        finally
        {
            directory.Delete();
        }
    }

    [Test]
    public async Task A_child_leads_its_own_process_group()
    {
        var (child, output) = Shell.Start(Shell.Options("cat /proc/$$/stat"));
        using (output)
        {
            var fields = (await output.ReadLine()).Split(' ');
            fields[0].ShouldBe(child.Pid.ToString(CultureInfo.InvariantCulture));
            fields[4].ShouldBe(fields[0]);
            await Shell.Exit(child);
        }
    }

    [Test]
    public async Task A_child_inherits_no_descriptor()
    {
        using var leaky = File.OpenHandle("/dev/zero");
        const int F_SETFD = 2;
        Libc.fcntl((int)leaky.DangerousGetHandle(), F_SETFD, 0).ShouldBe(0);

        var options = new SpawnOptions { Path = "/bin/ls", Arguments = ["-l", "/proc/self/fd"], Environment = Shell.Environment() };
        var output = (await Shell.Run(options)).Output;
        var links = output.Split('\n').Where(line => line.Contains("->", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf(':') + 4)..]).ToArray();
        // The fourth is the directory that ls itself has open.
        links.Length.ShouldBe(4, output);
        output.ShouldContain("0 -> /dev/null");
        output.ShouldMatch("3 -> /proc/[0-9]+/fd");
    }

    [Test]
    public async Task Streams_that_are_not_given_are_the_null_device()
    {
        var output = Path.GetTempFileName();
        try
        {
            const string Script = "for fd in 0 1 2; do links=\"$links $(readlink /proc/$$/fd/$fd)\"; done; echo \"$links\" > \"$0\"";
            var child = SharedChildren.Instance.Spawn(Shell.Options("") with { Arguments = ["-c", Script, output] });
            (await Shell.Exit(child)).ShouldBe(new ExitStatus(0, null));
            File.ReadAllText(output).ShouldBe(" /dev/null /dev/null /dev/null\n");
        }
        finally
        {
            File.Delete(output);
        }
    }

    [Test]
    public async Task Standard_descriptors_of_this_process_can_be_passed_crosswise()
    {
        using var zero = new SafeFileHandle(0, ownsHandle: false);
        using var one = new SafeFileHandle(1, ownsHandle: false);
        using (var streams = new StandardStreams(one, zero, one))
        {
            for (var target = 0; target <= 2; target++)
                streams[target].ShouldBeGreaterThan(2);
        }

        var (ours, theirs) = SocketPair.Create();
        using var output = new LineReader(ours);
        ChildProcess child;
        using (theirs)
            child = SharedChildren.Instance.Spawn(Shell.Options("readlink /proc/$$/fd/0; readlink /proc/$$/fd/2") with { StandardInput = one, StandardOutput = theirs, StandardError = zero });
        (await output.ReadLine()).ShouldBe(LinkOf(1));
        (await output.ReadLine()).ShouldBe(LinkOf(0));
        await Shell.Exit(child);

        static string LinkOf(int fd) => new FileInfo($"/proc/self/fd/{fd}").LinkTarget!;
    }

    [Test]
    public async Task A_child_starts_with_no_signal_blocked_or_ignored()
    {
        await Shell.Exit(SharedChildren.Instance.Spawn(Shell.Options("exit 0")));
        _ = Libc.signal(Signals.Usr2, AbiConstants.SIG_IGN);
        BlockUsr1(AbiConstants.Linux.SIG_UNBLOCK - 1);
        ChildProcess child;
        LineReader output;
        try
        {
            File.ReadAllLines("/proc/thread-self/status").ShouldContain("SigBlk:\t0000000000000200");
            (child, output) = Shell.Start(new SpawnOptions { Path = "/bin/cat", Arguments = ["/proc/self/status"], Environment = Shell.Environment() });
        }
        finally
        {
            BlockUsr1(AbiConstants.Linux.SIG_UNBLOCK);
            _ = Libc.signal(Signals.Usr2, AbiConstants.SIG_DFL);
        }
        using (output)
        {
            var status = await output.ReadToEnd();
            status.ShouldContain("SigBlk:\t0000000000000000");
            status.Split("\n").ShouldContain("SigIgn:\t0000000000000000");
        }
        await Shell.Exit(child);

        static unsafe void BlockUsr1(int how)
        {
            var set = stackalloc byte[128];
            _ = Libc.sigemptyset(set);
            _ = Libc.sigaddset(set, Signals.Usr1);
            Libc.pthread_sigmask(how, set, null).ShouldBe(0);
        }
    }

    [Test]
    public void A_missing_executable_is_named()
    {
        var failure = Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Path = "/no/such/agent" }));
        failure.Errno.ShouldBe(AbiConstants.ENOENT);
        failure.Message.ShouldBe("cannot start /no/such/agent: No such file or directory (ENOENT)");
    }

    [Test]
    public void A_missing_working_directory_is_named()
    {
        var failure = Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { WorkingDirectory = "/no/such/place" }));
        failure.Errno.ShouldBe(AbiConstants.ENOENT);
        failure.Message.ShouldBe("cannot start /bin/sh in /no/such/place: No such file or directory (ENOENT)");
    }

    [Test]
    public void A_directory_or_plain_file_is_no_executable()
    {
        Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Path = "/etc" }))
            .Message.ShouldBe("cannot start /etc: Permission denied (EACCES); it is a directory");
        Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Path = "/etc/passwd" }))
            .Message.ShouldBe("cannot start /etc/passwd: Permission denied (EACCES); it is not executable (mode 644): chmod +x /etc/passwd");
    }

    [Test]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_script_without_its_interpreter_says_so()
    {
        var script = Path.GetTempFileName();
        try
        {
            File.WriteAllText(script, "#!/no/such/interpreter\n");
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Path = script }))
                .Message.ShouldEndWith("(ENOENT); its interpreter /no/such/interpreter is not there: install it, or correct the first line");
        }
        finally
        {
            File.Delete(script);
        }
    }

    [Test]
    public void Arguments_that_are_too_long_are_explained()
    {
        var failure = Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options(new string('x', 200_000))));
        failure.Errno.ShouldBe(AbiConstants.E2BIG);
        failure.Message.ShouldContain("Argument list too long (E2BIG)");
        failure.Message.ShouldContain("the longest string 200001 (Linux takes 131072 for one string)");
    }

    [Test]
    public void What_cannot_be_passed_is_an_argument_error()
    {
        var options = Shell.Options("exit 0");
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Path = "bin/sh" }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Path = "/bin/sh\0x" }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Arguments = ["a\0b"] }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Arguments = ["\ud800"] }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { WorkingDirectory = "" }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { WorkingDirectory = "/\ud800" }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Environment = EnvironmentBlock.Of(new Dictionary<string, string> { ["A=B"] = "" }) }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Environment = EnvironmentBlock.Of(new Dictionary<string, string> { [""] = "" }) }));
        Should.Throw<ArgumentException>(() => SharedChildren.Instance.Spawn(options with { Environment = EnvironmentBlock.Of(new Dictionary<string, string> { ["A"] = "\0" }) }));
    }

    [Test]
    public async Task Two_hundred_starts_leave_no_descriptor_open()
    {
        await Shell.Run(Shell.Options("echo warm"));
        var before = OpenDescriptors();
        for (var i = 0; i < 200; i++)
        {
            if (i % 2 == 0)
                (await Shell.Run(Shell.Options("echo hello"))).Output.ShouldBe("hello\n");
            else
                Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(Shell.Options("") with { Path = "/no/such/agent" }));
        }
        Shell.Until(() => OpenDescriptors() <= before, "as many descriptors are open as before");

        static int OpenDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
    }
}

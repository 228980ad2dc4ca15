using System.Globalization;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Cgroups;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>Processes that are placed before their program begins. Those of real cgroups are skipped, with the reason, where none can be made.</summary>
[NotInParallel]
public sealed class PlacedStartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-placed-").FullName;
    private readonly EventLoop _loop = new("placed", LoopPace.Gather);
    private readonly List<Cgroup> _cgroups = [];

    private static ExecTrampoline Trampoline => TrampolineProcess.Trampoline;

    public void Dispose()
    {
        _loop.Dispose();
        Directory.Delete(_directory, recursive: true);
        _cgroups.ForEach(cgroup => Shell.Until(cgroup.TryRemove, "the cgroup is removed"));
    }

    [Test]
    public async Task What_leaves_its_parent_at_once_with_a_clean_environment_is_in_the_cgroup()
    {
        for (var i = 0; i < 3; i++)
        {
            var cgroup = Make();
            var marker = Shell.NewMarker();
            var (root, output) = await Start(Shell.Options("(env -i setsid sh -c '(echo $$; exec sleep 300) &' &); exec sleep 300", marker) with { Cgroup = cgroup });
            using (output)
            {
                _ = await output.ReadLine();
                Shell.Until(() => cgroup.Processes().Count >= 2, "the orphan is in it");
                var tree = new ProcessTree(root, marker, cgroup);
                Shell.Destroy(tree);
                await Shell.Exit(root);
                cgroup.IsPopulated.ShouldBeFalse();
            }
        }
    }

    [Test]
    public async Task Nothing_but_the_cgroup_tells_it_from_a_process_that_was_started_at_once()
    {
        byte[] block = [.. "ODD=caf"u8, 0xe9, 0, .. "no equals sign"u8, 0, .. "TWICE=1"u8, 0, .. "TWICE=2"u8, 0, 0, .. "DOTNET_GCHeapHardLimit=1"u8, 0];
        var options = new SpawnOptions
        {
            Path = "/bin/sleep",
            Arguments = ["300"],
            Environment = EnvironmentBlock.FromTerminated(block),
            WorkingDirectory = _directory,
        };
        // Ignored and blocked here, and not to be in a child.
        _ = Libc.signal(Signals.Usr2, AbiConstants.SIG_IGN);
        try
        {
            var plain = SharedChildren.Instance.Spawn(options);
            var placed = await PlacedStart.StartAsync(SharedChildren.Instance, options with { Cgroup = Fake() }, Trampoline, _loop, TimeProvider.System);
            Shell.Until(() => IsSleep(plain.Pid) && IsSleep(placed.Pid), "both have executed");
            Look(placed.Pid, "environ").ShouldBe(block);
            foreach (var file in new[] { "environ", "cmdline", "comm", "limits", "oom_score_adj", "coredump_filter" })
                Look(placed.Pid, file).ShouldBe(Look(plain.Pid, file), file);
            Links(placed.Pid).ShouldBe(Links(plain.Pid));
            foreach (var line in new[] { "SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd", "Umask", "Uid", "Gid", "Groups", "PPid", "Threads", "CapInh", "CapEff", "NoNewPrivs", "Seccomp", "THP_enabled", "Cpus_allowed" })
                Status(placed.Pid, line).ShouldBe(Status(plain.Pid, line), line);
            new FileInfo($"/proc/{placed.Pid}/cwd").LinkTarget.ShouldBe(_directory);
            // Group, session and terminal, which count from its own pid; the nice value.
            Stat(placed.Pid).ShouldBe(Stat(plain.Pid));
            placed.Identity.ShouldBe(ProcessIdentity.TryRead(placed.Pid, out var now) ? now : default);
            foreach (var child in new[] { plain, placed })
            {
                child.Signal(Signals.Term).ShouldBeTrue();
                (await Shell.Exit(child)).ShouldBe(new ExitStatus(null, Signals.Term));
            }
        }
        finally
        {
            _ = Libc.signal(Signals.Usr2, AbiConstants.SIG_DFL);
        }
    }

    [Test]
    public async Task A_program_is_refused_in_the_same_words_as_at_once()
    {
        var script = Path.Combine(_directory, "script");
        await File.WriteAllTextAsync(script, "echo hi\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var interpreter = Path.Combine(_directory, "interpreter");
        await File.WriteAllTextAsync(interpreter, "#!/no/such/interpreter\n");
        File.SetUnixFileMode(interpreter, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        foreach (var options in new[]
        {
            Shell.Options("") with { Path = "/no/such/agent" }, Shell.Options("") with { Path = "/etc" }, Shell.Options("") with { Path = "/etc/passwd" },
            Shell.Options("") with { Path = script }, Shell.Options("") with { Path = interpreter }, Shell.Options(new string('x', 200_000)),
            Shell.Options("") with { WorkingDirectory = "/no/such/place" }, Shell.Options("") with { WorkingDirectory = "/etc/passwd" },
            Shell.Options("") with { Environment = EnvironmentBlock.Of([new("LONG", new string('x', 200_000))]) },
            Shell.Options("") with { Arguments = [.. Enumerable.Repeat(new string('x', 100_000), 80)] },
        })
        {
            var atOnce = Should.Throw<SpawnException>(() => SharedChildren.Instance.Spawn(options));
            var placed = await Should.ThrowAsync<SpawnException>(
                () => PlacedStart.StartAsync(SharedChildren.Instance, options with { Cgroup = Fake() }, Trampoline, _loop, TimeProvider.System));
            (placed.Errno, placed.Message).ShouldBe((atOnce.Errno, atOnce.Message));
        }
        SharedChildren.Instance.Known().ShouldBeEmpty("what was not executed is gone and reaped");
    }

    [Test]
    public async Task An_environment_of_a_mebibyte_arrives()
    {
        var block = EnvironmentBlock.FromTerminated([.. Enumerable.Range(0, 10).SelectMany(i => (byte[])[(byte)('A' + i), (byte)'=', .. Enumerable.Repeat((byte)0xfe, 100_000), 0])]);
        var child = await PlacedStart.StartAsync(
            SharedChildren.Instance, new SpawnOptions { Path = "/bin/sleep", Arguments = ["300"], Environment = block, Cgroup = Fake() }, Trampoline, _loop, TimeProvider.System);
        Shell.Until(() => IsSleep(child.Pid), "it has executed");
        Look(child.Pid, "environ").ShouldBe(block.ToTerminated());
        child.Signal(Signals.Kill);
        await Shell.Exit(child);
    }

    [Test]
    public async Task A_trampoline_whose_parent_is_gone_executes_nothing()
    {
        var (ours, theirs) = SocketPair.CreateHandles();
        ChildProcess child;
        using (theirs)
        {
            child = SharedChildren.Instance.Spawn(new SpawnOptions
            {
                Path = Trampoline.Path,
                Arguments = Trampoline.Arguments,
                Environment = Trampoline.Environment,
                Control = theirs,
            });
        }
        // Half of a message, and then the parent dies.
        var message = StartMessage.Write(Shell.Options($"touch '{_directory}/executed'"));
        using (var control = _loop.Watch(ours))
            await control.SendAsync(message.AsMemory(0, message.Length - 1));
        (await Shell.Exit(child)).ShouldBe(new ExitStatus(PlacedExec.NotExecuted, null));
        File.Exists($"{_directory}/executed").ShouldBeFalse();
    }

    [Test]
    [Arguments("/no/such/trampoline")]
    [Arguments("/bin/false")]
    public async Task A_trampoline_that_is_not_to_be_had_is_told_apart(string path)
    {
        var trampoline = Trampoline with { Path = path };
        (await Should.ThrowAsync<TrampolineException>(
            () => PlacedStart.StartAsync(SharedChildren.Instance, Shell.Options("exit 0") with { Cgroup = Fake() }, trampoline, _loop, TimeProvider.System))).Message.ShouldContain(
                path == "/bin/false" ? "ended before (exit code 1)" : path);
    }

    [Test]
    public async Task Starts_at_once_leave_no_descriptor_and_no_process()
    {
        var before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        for (var round = 0; round < 5; round++)
        {
            var children = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => PlacedStart.StartAsync(
                SharedChildren.Instance, Shell.Options($"exit {i}") with { Cgroup = Fake() }, Trampoline, _loop, TimeProvider.System)));
            for (var i = 0; i < children.Length; i++)
                (await Shell.Exit(children[i])).ShouldBe(new ExitStatus(i, null));
        }
        Shell.Until(() => Directory.GetFileSystemEntries("/proc/self/fd").Length <= before + 2, "as many descriptors are open as before");
    }

    private async Task<(ChildProcess Child, LineReader Output)> Start(SpawnOptions options)
    {
        var (ours, theirs) = SocketPair.Create();
        using (theirs)
            return (await PlacedStart.StartAsync(SharedChildren.Instance, options with { StandardOutput = theirs }, Trampoline, _loop, TimeProvider.System), new LineReader(ours));
    }

    private Cgroup Make()
    {
        _cgroups.Add(RealCgroups.Own().Create($"colibri-{Guid.NewGuid()}"));
        return _cgroups[^1];
    }

    /// <summary>A directory that takes the pid like a cgroup.</summary>
    private Cgroup Fake()
    {
        var path = Directory.CreateDirectory(Path.Combine(_directory, Guid.NewGuid().ToString())).FullName;
        File.WriteAllText($"{path}/cgroup.procs", "");
        return new Cgroup(path);
    }

    private static bool IsSleep(int pid) => Look(pid, "cmdline").AsSpan().StartsWith("/bin/sleep\0"u8);

    private static byte[] Look(int pid, string file) => File.ReadAllBytes($"/proc/{pid}/{file}");

    private static string? Status(int pid, string name) =>
        File.ReadAllLines($"/proc/{pid}/status").FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal));

    private static string Links(int pid) =>
        string.Join(' ', Directory.GetFileSystemEntries($"/proc/{pid}/fd").Order(StringComparer.Ordinal).Select(path => Path.GetFileName(path) + ">" + new FileInfo(path).LinkTarget));

    private static string Stat(int pid)
    {
        var fields = File.ReadAllText($"/proc/{pid}/stat").Split(' ');
        var own = pid.ToString(CultureInfo.InvariantCulture);
        return string.Join(' ', new[] { fields[4], fields[5], fields[6], fields[17], fields[18] }.Select(field => field == own ? "self" : field));
    }
}

using System.Text;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The daemon's program as the exec trampoline, by all that it does short of entering a jail, which only FreeBSD has.</summary>
public sealed class JailTrampolineTests
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const string Script = """
        env -0 >"$OUT.env"; pwd -P >"$OUT.cwd"; id -u >"$OUT.ids"; id -g >>"$OUT.ids"; id -G >>"$OUT.ids"
        grep -E 'SigIgn|SigBlk' /proc/self/status >"$OUT.signals"; for fd in /proc/$$/fd/*; do [ -h "$fd" ] && echo "${fd##*/}"; done >"$OUT.descriptors"; printf '%s|' "$@"
        """;

    [Test]
    public async Task What_was_left_becomes_the_environment_and_the_directory_to_the_byte()
    {
        using var directory = new TempDirectory();
        var work = directory.Folder("it's ü");
        var value = "k'e\"y\n$HOME `id` \\ ü";
        Leave(directory, $"OUT={directory.File("seen")}\0PATH=/usr/bin:/bin\0KEY={value}\0EMPTY=\0odd-name=1\0", work + "\0");

        // As a daemon that a shell has started in the background, with the terminal's signals ignored.
        var finished = await Launch.ToEndAsync(
            "/bin/sh",
            ["-c", "trap '' INT QUIT USR1 TSTP; exec \"$@\"", "sh", Repository.Daemon,
             "--jail-exec", "--root", directory.File("root"), "--stage", "/stage", "--name", "a1", "--", "/bin/sh", "-c", Script, "sh", "", "a b", "--"],
            new Dictionary<string, string?> { ["NOT_PASSED_ON"] = "1" });

        finished.ExitCode.ShouldBe(0, finished.ToString());
        finished.Stdout.ShouldBe("|a b|--|");
        var environment = File.ReadAllText(directory.File("seen.env")).Split('\0');
        environment.ShouldContain($"KEY={value}");
        environment.ShouldContain("EMPTY=");
        environment.ShouldNotContain(entry => entry.StartsWith("NOT_PASSED_ON", StringComparison.Ordinal));
        File.ReadAllText(directory.File("seen.cwd")).ShouldBe(work + "\n");
        File.ReadAllLines(directory.File("seen.signals")).ShouldAllBe(line => line.EndsWith("0000000000000000", StringComparison.Ordinal), "no signal ignored, none blocked");
        File.ReadAllLines(directory.File("seen.descriptors")).Where(fd => int.Parse(fd) is > 2 and < 10).ShouldBeEmpty("nothing of the trampoline is open; a shell keeps its own from 10 up");
    }

    [Test]
    public async Task It_becomes_the_user_with_its_groups_and_no_other()
    {
        Skip.Unless(Environment.UserName == "root", "only root can become another user");
        var finished = await Launch.ToEndAsync(
            Repository.Daemon, ["--jail-exec", "--ids", "1001:1002:1002,44", "--", "/bin/sh", "-c", "id -u; id -g; id -G; echo \"$KEPT\""],
            new Dictionary<string, string?> { ["KEPT"] = "by itself" });

        finished.Lines.ShouldBe(["1001", "1002", "1002 44", "by itself"], finished.ToString());
    }

    [Test]
    public async Task Where_a_step_fails_nothing_is_executed()
    {
        using var directory = new TempDirectory();
        Leave(directory, "A=1\0", "/\0");
        string[] stage = ["--root", directory.File("root"), "--stage", "/stage", "--name", "a1"];
        foreach (var (arguments, exit, said) in new (string[], int, string)[]
        {
            (["--enter", "acme", "--", "/bin/echo", "ran"], 126, "jails are entered natively on FreeBSD only"),
            (["--create", "colibri-1", "--root", "/tmp", "--", "/bin/echo", "ran"], 126, "jails are entered natively on FreeBSD only"),
            ([.. stage[..^1], "a2", "--", "/bin/echo", "ran"], 126, "there is no 'a2'"),
            ([.. stage, "--", "/no/such/program"], 126, "cannot execute /no/such/program: No such file or directory (ENOENT)"),
            (["--enter", "acme", "/bin/echo", "ran"], 2, "unknown option /bin/echo"),
            ([], 2, "nothing to execute"),
        })
        {
            var finished = await Launch.ToEndAsync(Repository.Daemon, ["--jail-exec", .. arguments]);
            finished.ExitCode.ShouldBe(exit, finished.ToString());
            finished.Stdout.ShouldBeEmpty();
            finished.ErrorLines.ShouldHaveSingleItem().ShouldContain($"colibri-daemon: --jail-exec: {said}");
        }
        File.SetUnixFileMode(directory.File("root/stage"), Own | UnixFileMode.OtherRead);
        (await Launch.ToEndAsync(Repository.Daemon, ["--jail-exec", .. stage, "--", "/bin/echo", "ran"])).Stderr.ShouldContain("is not the daemon's alone");
    }

    private static void Leave(TempDirectory directory, string environment, string cwd)
    {
        foreach (var part in new[] { "root", "root/stage", "root/stage/a1" })
            File.SetUnixFileMode(directory.Folder(part), Own);
        File.WriteAllBytes(directory.File("root/stage/a1/environment"), Encoding.UTF8.GetBytes(environment));
        File.WriteAllBytes(directory.File("root/stage/a1/directory"), Encoding.UTF8.GetBytes(cwd));
    }
}

using System.Text;
using Colibri.Core.Agents.Confinement;
using Colibri.Posix.Interop;
using Colibri.Posix.Jails;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Jails;

/// <summary>What the system calls of jails are given, buffer by buffer, and what the trampoline is told.</summary>
[NotInParallel]
public sealed class JailTests
{
    private static readonly byte[] Errmsg = new byte[256];

    [Test]
    public void A_new_jail_is_described_by_names_and_values_by_turns()
    {
        var inherit = JailParameters.ForNew("colibri-1", "/jails/ä b", JailNetwork.Inherit).Entries;
        ShouldBe(inherit, "name\0"u8.ToArray(), "colibri-1\0"u8.ToArray(), "path\0"u8.ToArray(), "/jails/ä b\0"u8.ToArray(), "ip4\0"u8.ToArray(),
            [2, 0, 0, 0], "ip6\0"u8.ToArray(), [2, 0, 0, 0], "allow.mlock\0"u8.ToArray(), [], "errmsg\0"u8.ToArray(), Errmsg);

        var disable = JailParameters.ForNew("colibri-1", "/j", JailNetwork.Disable).Entries;
        ShouldBe(disable, "name\0"u8.ToArray(), "colibri-1\0"u8.ToArray(), "path\0"u8.ToArray(), "/j\0"u8.ToArray(), "ip4\0"u8.ToArray(), [0, 0, 0, 0],
            "ip6\0"u8.ToArray(), [0, 0, 0, 0], "allow.mlock\0"u8.ToArray(), [], "errmsg\0"u8.ToArray(), Errmsg);

        var address = JailParameters.ForNew("colibri-1", "/j", JailNetwork.Parse("192.0.2.7")!).Entries;
        ShouldBe(address, "name\0"u8.ToArray(), "colibri-1\0"u8.ToArray(), "path\0"u8.ToArray(), "/j\0"u8.ToArray(), "ip4\0"u8.ToArray(), [1, 0, 0, 0],
            "ip4.addr\0"u8.ToArray(), [192, 0, 2, 7], "ip6\0"u8.ToArray(), [0, 0, 0, 0], "allow.mlock\0"u8.ToArray(), [], "errmsg\0"u8.ToArray(), Errmsg);
    }

    [Test]
    public void A_jail_is_looked_up_by_name_and_answers_into_a_buffer_of_ours()
    {
        ShouldBe(JailParameters.ForName("acme").Entries, "name\0"u8.ToArray(), "acme\0"u8.ToArray(), "errmsg\0"u8.ToArray(), Errmsg);
        var root = JailParameters.ForRoot("acme", out var path);
        ShouldBe(root.Entries, "name\0"u8.ToArray(), "acme\0"u8.ToArray(), "path\0"u8.ToArray(), new byte[1024], "errmsg\0"u8.ToArray(), Errmsg);
        root.Entries[3].ShouldBeSameAs(path);
        root.Entries[5].ShouldBeSameAs(root.ErrorText);
    }

    [Test]
    public void The_kernels_own_words_come_before_the_number()
    {
        JailCalls.Reason(Encoding.UTF8.GetBytes("jail \"x\" already exists\0\0"), AbiConstants.EINVAL).ShouldBe("jail \"x\" already exists (Invalid argument (EINVAL))");
        JailCalls.Reason(new byte[256], AbiConstants.EPERM).ShouldBe("Operation not permitted (EPERM)");
    }

    [Test]
    [Arguments("inherit", true)]
    [Arguments("disable", true)]
    [Arguments("10.0.0.255", true)]
    [Arguments("10.0.0.256", false)]
    [Arguments("10.0.0", false)]
    [Arguments("10.0.0.01", false)]
    [Arguments("10.0.0.+1", false)]
    [Arguments("em0|10.0.0.1", false)]
    [Arguments("10.0.0.1,10.0.0.2", false)]
    [Arguments("1", false)]
    [Arguments("", false)]
    [Arguments("::1", false)]
    public void An_address_is_four_numbers(string text, bool isOne) => (JailNetwork.Parse(text)?.Text).ShouldBe(isOne ? text : null);

    [Test]
    public void The_trampoline_reads_what_the_daemon_writes()
    {
        var enter = new JailExecArguments
        {
            Enter = "acme",
            Root = "/jails/acme",
            Stage = "/var/colibri-stage",
            Name = "a1",
            Ids = new UserIds(1001, 1002, [1002, 20]),
            Program = "/bin/pi",
            Arguments = ["--", "--create", "", "x y"],
        };
        enter.ToArguments().ShouldBe(
        [
            "--jail-exec", "--enter", "acme", "--root", "/jails/acme", "--stage", "/var/colibri-stage", "--name", "a1", "--ids", "1001:1002:1002,20", "--",
            "/bin/pi", "--", "--create", "", "x y",
        ]);
        JailExecArguments.Parse([.. enter.ToArguments().Skip(1)]).ToArguments().ShouldBe(enter.ToArguments());
        var create = new JailExecArguments { Create = "colibri-1", Network = JailNetwork.Parse("10.0.0.1")!, Root = "/j", Program = "/bin/pi" };
        JailExecArguments.Parse([.. create.ToArguments().Skip(1)]).ToArguments()
            .ShouldBe(["--jail-exec", "--create", "colibri-1", "--ip4", "10.0.0.1", "--root", "/j", "--", "/bin/pi"]);
    }

    [Test]
    [Arguments("--enter a")]
    [Arguments("--enter a --")]
    [Arguments("--enter a -- pi")]
    [Arguments("--enter a --create b --root /j -- /bin/pi")]
    [Arguments("--create b -- /bin/pi")]
    [Arguments("--root /j --stage /s -- /bin/pi")]
    [Arguments("--ids 0:0 -- /bin/pi")]
    [Arguments("--ids 0:0:-1 -- /bin/pi")]
    [Arguments("--ids 0:0: -- /bin/pi")]
    [Arguments("--ip4 em0 -- /bin/pi")]
    [Arguments("--user a -- /bin/pi")]
    [Arguments("")]
    public void The_trampoline_refuses_what_the_daemon_never_writes(string line) =>
        Should.Throw<ArgumentException>(() => JailExecArguments.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Test]
    public void A_staged_environment_is_exact_to_the_byte()
    {
        var variables = new Dictionary<string, string> { ["B"] = "a'b\"c\n$HOME `x` \\", ["A"] = "", ["Ü_no"] = "1" };
        var trampoline = StagedEnvironment.ForTrampoline(EnvironmentBlock.Of(variables), "/wörk");
        trampoline.Select(file => file.Key).ShouldBe(["environment", "directory"]);
        Encoding.UTF8.GetString(trampoline[0].Value).ShouldBe("A=\0B=a'b\"c\n$HOME `x` \\\0Ü_no=1\0");
        Encoding.UTF8.GetString(trampoline[1].Value).ShouldBe("/wörk\0");
        StagedEnvironment.Entries(trampoline[0].Value).ShouldBe(["A=", "B=a'b\"c\n$HOME `x` \\", "Ü_no=1"]);

        variables.Remove("Ü_no");
        var shell = StagedEnvironment.ForShell(EnvironmentBlock.Of(variables), "/it's");
        Encoding.UTF8.GetString(shell[0].Value).ShouldBe("export A=''\nexport B='a'\\''b\"c\n$HOME `x` \\'\n");
        Encoding.UTF8.GetString(shell[1].Value).ShouldBe("cd '/it'\\''s'\n");
    }

    [Test]
    public async Task A_shell_takes_every_byte_of_a_value_and_the_first_of_two_of_a_name()
    {
        byte[] every = [.. Enumerable.Range(1, 255).Select(number => (byte)number)];
        byte[][] entries = [[.. "EVERY="u8, .. every], "TWICE=1"u8.ToArray(), "TWICE=2"u8.ToArray(), "npm-odd=1"u8.ToArray(), "no equals sign"u8.ToArray(), [.. "N"u8, 0xff, .. "=1"u8]];
        var staged = StagedEnvironment.ForShell(StagedEnvironment.ForAnyShell(EnvironmentBlock.FromTerminated([.. entries.SelectMany(entry => entry.Append((byte)0))])), "/");
        var directory = Directory.CreateTempSubdirectory("colibri-staged-").FullName;
        try
        {
            foreach (var (name, content) in staged)
                await File.WriteAllBytesAsync(Path.Combine(directory, name), content);
            var options = new SpawnOptions
            {
                Path = "/bin/sh",
                Arguments = ["-c", JailCommands.Enter, "sh", directory, "/bin/sh", "-c", $"cat /proc/self/environ > {directory}/seen"],
                Environment = EnvironmentBlock.Empty,
            };
            (await Shell.Run(options)).Exit.Code.ShouldBe(0);
            var seen = EnvironmentBlock.FromTerminated(await File.ReadAllBytesAsync($"{directory}/seen"));
            seen.ValueOf("EVERY").ShouldBe(every);
            seen.ValueOf("TWICE").ShouldBe("1"u8.ToArray());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Test]
    [Arguments("a-b")]
    [Arguments("1a")]
    [Arguments("a;rm")]
    [Arguments("OPTIND")]
    [Arguments("Ü")]
    public void A_name_that_a_shell_cannot_export_never_gets_into_its_file(string name) =>
        Should.Throw<ArgumentException>(() => StagedEnvironment.ForShell(EnvironmentBlock.Of([new(name, "1")]), "/"));

    [Test]
    public void A_value_that_no_process_can_be_given_is_refused()
    {
        foreach (var (name, value) in new[] { ("A", "a\0b"), ("A=B", "c"), ("", "c") })
            Should.Throw<ArgumentException>(() => StagedEnvironment.ForTrampoline(EnvironmentBlock.Of([new(name, value)]), "/"));
    }

    private static void ShouldBe(IReadOnlyList<byte[]> entries, params byte[][] expected)
    {
        entries.Count.ShouldBe(expected.Length);
        (entries.Count % 2).ShouldBe(0);
        for (var i = 0; i < expected.Length; i++)
            entries[i].ShouldBe(expected[i], $"entry {i}");
    }
}

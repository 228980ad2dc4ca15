using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Providers;

public sealed class SecretsTests : IDisposable
{
    private static readonly DateTime Written = new(2026, 11, 22, 0, 0, 0, DateTimeKind.Utc);

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-secrets-").FullName;
    private readonly CollectingLogger _logger = new();

    private string File => Path.Combine(_directory, "provider.env");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_file_is_read_as_a_shell_reads_assignments()
    {
        var values = ProviderEnvFile.Parse(
            ["# keys", "", "A=1", "export B_2=two words", "C='it # is'", "D=\"x y\"  ", "E=plain # said", "F="], "f");
        values.ShouldBe(new Dictionary<string, string> { ["A"] = "1", ["B_2"] = "two words", ["C"] = "it # is", ["D"] = "x y", ["E"] = "plain", ["F"] = "" }, ignoreOrder: true);
    }

    [Test]
    [Arguments("no assignment", "line 1 is no NAME=VALUE")]
    [Arguments("A-B=1", "line 1 is no NAME=VALUE")]
    [Arguments("A='sk-hidden", "line 1 has a quote that is not closed")]
    public void A_line_that_is_none_is_named_by_its_number_and_not_shown(string line, string problem)
    {
        var message = Should.Throw<ConfigurationException>(() => ProviderEnvFile.Parse([line], "f")).Message;
        message.ShouldEndWith(problem);
        message.ShouldNotContain("hidden");
    }

    [Test]
    public void A_file_that_others_may_look_at_is_refused_with_what_to_type()
    {
        Write("OPENAI_API_KEY=sk-0123456789", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Should.Throw<ConfigurationException>(Open).Message.ShouldBe(
            $"provider file {File} cannot be used: its mode is 640 and others may look at it: chmod 600 {File}");
        Should.Throw<ConfigurationException>(() => new Secrets(new Dictionary<string, string>(), "/nowhere/provider.env", _logger)).Message.ShouldContain("/nowhere/provider.env");
    }

    [Test]
    public void An_agent_gets_the_keys_of_its_providers()
    {
        Write("OPENAI_API_KEY=sk-from-the-file\nHOUSE_API_KEY=house-key");
        var secrets = Open(("ANTHROPIC_API_KEY", "sk-ant-env"), ("OPENAI_API_KEY", "sk-older"), ("CELLAR_API_KEY", "cellar-key"), ("HOME", "/home/op"));

        secrets.For(["openai"]).ShouldBe([KeyValuePair.Create("OPENAI_API_KEY", "sk-from-the-file")]);
        secrets.For(["anthropic"]).ShouldBe([KeyValuePair.Create("ANTHROPIC_API_KEY", "sk-ant-env")]);
        secrets.For(["house"]).ShouldBe([KeyValuePair.Create("HOUSE_API_KEY", "house-key")]);
        secrets.For(["cellar"]).ShouldBe([KeyValuePair.Create("CELLAR_API_KEY", "cellar-key")]);
        secrets.For([]).ShouldBeEmpty();
        secrets.For(null).Select(key => key.Key).Order().ShouldBe(["ANTHROPIC_API_KEY", "CELLAR_API_KEY", "HOUSE_API_KEY", "OPENAI_API_KEY"]);
        (secrets.KeyOf("house"), secrets.KeyOf("openai"), secrets.KeyOf("groq")).ShouldBe(("house-key", "sk-from-the-file", null));
        (secrets.IsSecret("HOUSE_API_KEY"), secrets.IsSecret("CELLAR_API_KEY"), secrets.IsSecret("GROQ_API_KEY"), secrets.IsSecret("HOME")).ShouldBe((true, true, true, false));
    }

    [Test]
    public void A_file_that_has_changed_is_read_again_and_old_keys_stay_blotted_out()
    {
        Write("OPENAI_API_KEY=sk-0123456789-old");
        var secrets = Open();
        secrets.Redact("a sk-0123456789-old b").ShouldBe("a [redacted] b");

        Write("OPENAI_API_KEY=sk-0123456789-newer");
        secrets.KeyOf("openai").ShouldBe("sk-0123456789-newer");
        secrets.Redact("sk-0123456789-old, sk-0123456789-newer").ShouldBe("[redacted], [redacted]");

        Write("broken");
        secrets.KeyOf("openai").ShouldBe("sk-0123456789-newer");
        _logger.Of(417).ShouldHaveSingleItem();
    }

    [Test]
    public void What_the_daemon_advises_is_enough()
    {
        Write("OPENAI_API_KEY=sk-0123456789-old");
        var secrets = Open();
        Write("OPENAI_API_KEY=sk-0123456789-newer", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        for (var look = 0; look < 3; look++)
            secrets.KeyOf("openai").ShouldBe("sk-0123456789-old");
        _logger.Of(417).ShouldHaveSingleItem("it is told once, not at every look").ShouldContain($"its mode is 644 and others may look at it: chmod 600 {File}");

        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        secrets.KeyOf("openai").ShouldBe("sk-0123456789-newer");
        _logger.Of(416).ShouldHaveSingleItem();
    }

    [Test]
    public void A_mode_made_wrong_and_mended_is_noticed_each_time()
    {
        Write("OPENAI_API_KEY=sk-0123456789");
        var secrets = Open();
        for (var time = 1; time <= 2; time++)
        {
            System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.OtherRead);
            secrets.KeyOf("openai").ShouldBe("sk-0123456789");
            _logger.Of(417).Count.ShouldBe(time);
            System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead);
            secrets.KeyOf("openai").ShouldBe("sk-0123456789");
            _logger.Of(416).Count.ShouldBe(time);
        }
    }

    [Test]
    public void A_file_renamed_into_its_place_is_read_even_where_length_and_time_are_the_same()
    {
        Write("OPENAI_API_KEY=sk-0123456789-aaa");
        System.IO.File.SetLastWriteTimeUtc(File, Written);
        var secrets = Open();
        var next = Path.Combine(_directory, "next");
        System.IO.File.WriteAllText(next, "OPENAI_API_KEY=sk-0123456789-bbb\n");
        System.IO.File.SetUnixFileMode(next, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        System.IO.File.SetLastWriteTimeUtc(next, Written);

        System.IO.File.Move(next, File, overwrite: true);

        secrets.KeyOf("openai").ShouldBe("sk-0123456789-bbb");
    }

    [Test]
    public void A_file_written_in_place_is_read_even_where_length_and_time_are_the_same()
    {
        Write("OPENAI_API_KEY=sk-0123456789-aaa");
        System.IO.File.SetLastWriteTimeUtc(File, Written);
        var secrets = Open();
        var before = FileStamp.Of(File);

        Write("OPENAI_API_KEY=sk-0123456789-bbb");
        System.IO.File.SetLastWriteTimeUtc(File, Written);

        FileStamp.Of(File).ShouldBe(before with { Changed = FileStamp.Of(File).Changed }, "nothing but ctime tells");
        secrets.KeyOf("openai").ShouldBe("sk-0123456789-bbb");
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public void A_link_that_is_led_elsewhere_is_followed(bool isLookedAtBetween)
    {
        var (first, second) = (Path.Combine(_directory, "first"), Path.Combine(_directory, "second"));
        foreach (var (path, key) in new[] { (first, "aaa"), (second, "bbb") })
        {
            System.IO.File.WriteAllText(path, $"OPENAI_API_KEY=sk-0123456789-{key}\n");
            System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead);
            System.IO.File.SetLastWriteTimeUtc(path, Written);
        }
        System.IO.File.CreateSymbolicLink(File, first);
        var secrets = Open();

        System.IO.File.Delete(File);
        if (isLookedAtBetween)
            secrets.KeyOf("openai").ShouldBe("sk-0123456789-aaa", "between the two there is no file, and the keys stay");
        System.IO.File.CreateSymbolicLink(File, second);

        secrets.KeyOf("openai").ShouldBe("sk-0123456789-bbb");
    }

    [Test]
    public void A_read_that_fails_once_is_tried_again_at_the_next_look()
    {
        Write("OPENAI_API_KEY=sk-0123456789-old");
        var fails = false;
        var secrets = new Secrets(
            new Dictionary<string, string>(), File, _logger, path => fails ? throw new ConfigurationException($"provider file {path} cannot be used: Input/output error") : ProviderEnvFile.Read(path));
        Write("OPENAI_API_KEY=sk-0123456789-newer");

        fails = true;
        secrets.KeyOf("openai").ShouldBe("sk-0123456789-old");
        secrets.For(null).ShouldContain(KeyValuePair.Create("OPENAI_API_KEY", "sk-0123456789-old"));
        _logger.Of(417).ShouldHaveSingleItem();
        fails = false;

        secrets.KeyOf("openai").ShouldBe("sk-0123456789-newer");
        secrets.KeyOf("openai").ShouldBe("sk-0123456789-newer");
        _logger.Of(416).ShouldHaveSingleItem("a file that has not changed is not read again");
    }

    [Test]
    public void A_key_that_begins_as_another_does_is_blotted_out_whole()
    {
        Write("A_API_KEY=sk-0123456789\nB_API_KEY=sk-0123456789-and-more\nC_API_KEY=short");
        Open().Redact("sk-0123456789-and-more sk-0123456789 short").ShouldBe("[redacted] [redacted] short");
    }

    private Secrets Open(params (string Name, string Value)[] environment) =>
        new(environment.ToDictionary(entry => entry.Name, entry => entry.Value), File, _logger);

    private Secrets Open() => Open([]);

    private void Write(string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        System.IO.File.WriteAllText(File, text + "\n");
        System.IO.File.SetUnixFileMode(File, mode);
    }
}

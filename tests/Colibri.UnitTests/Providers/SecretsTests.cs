using Colibri.Core.Configuration;
using Colibri.Core.Providers;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Providers;

public sealed class SecretsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-secrets-").FullName;
    private readonly CollectingLogger _logger = new();

    private string File => Path.Combine(_directory, "provider.env");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_file_is_read_as_a_shell_reads_assignments()
    {
        var values = ProviderEnvFile.Parse(
            ["# keys", "", "A=1", "export B_2=two words", "C='it # is'", "D=\"x y\"  ", "E=plain # said", "F="], "f");
        values.ShouldBe(new Dictionary<string, string> { ["A"] = "1", ["B_2"] = "two words", ["C"] = "it # is", ["D"] = "x y", ["E"] = "plain", ["F"] = "" }, ignoreOrder: true);
    }

    [Theory]
    [InlineData("no assignment", "line 1 is no NAME=VALUE")]
    [InlineData("A-B=1", "line 1 is no NAME=VALUE")]
    [InlineData("A='sk-hidden", "line 1 has a quote that is not closed")]
    public void A_line_that_is_none_is_named_by_its_number_and_not_shown(string line, string problem)
    {
        var message = Should.Throw<ConfigurationException>(() => ProviderEnvFile.Parse([line], "f")).Message;
        message.ShouldEndWith(problem);
        message.ShouldNotContain("hidden");
    }

    [Fact]
    public void A_file_that_others_may_look_at_is_refused_with_what_to_type()
    {
        Write("OPENAI_API_KEY=sk-0123456789", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Should.Throw<ConfigurationException>(Open).Message.ShouldBe(
            $"provider file {File} cannot be used: its mode is 640 and others may look at it: chmod 600 {File}");
        Should.Throw<ConfigurationException>(() => new Secrets(new Dictionary<string, string>(), "/nowhere/provider.env", _logger)).Message.ShouldContain("/nowhere/provider.env");
    }

    [Fact]
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

    [Fact]
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

    [Fact]
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

using System.Text;
using Colibri.Mcp.External;

namespace Colibri.UnitTests.Mcp.External;

public sealed class ExternalRegistryTests
{
    private const string Good = """{"servers":{"docs":{"command":"docs-mcp","args":["--stdio"],"env":{"TOKEN":"s3cret"},"allowed_tools":["search"],"timeout_seconds":5}}}""";

    [Test]
    public void It_says_what_may_be_started_and_called()
    {
        var server = Parse(Good).ShouldHaveSingleItem();

        (server.Name, server.Command, server.Timeout).ShouldBe(("docs", "docs-mcp", TimeSpan.FromSeconds(5)));
        server.Arguments.ShouldBe(["--stdio"]);
        server.Variables["TOKEN"].ShouldBe("s3cret");
        server.Allows("search").ShouldBeTrue();
        server.Allows("delete").ShouldBeFalse();
    }

    [Test]
    public void A_star_allows_every_tool() => Parse("""{"servers":{"a":{"command":"b","allowed_tools":["*"]}}}""").Single().Allows("anything").ShouldBeTrue();

    [Test]
    [Arguments("")]
    [Arguments("[]")]
    [Arguments("""{"servers":{"a":{"command":"b"}}}""")]
    [Arguments("""{"servers":{"a":{"allowed_tools":[]}}}""")]
    [Arguments("""{"servers":{"a":{"command":"b","allowed_tools":[],"env":{"TOKEN":["s3cret"]}}}}""")]
    public void A_mistake_is_refused_without_a_value_of_it(string json) =>
        Should.Throw<ExternalException>(() => Parse(json)).Message.ShouldNotContain("s3cret");

    [Test]
    [Arguments(UnixFileMode.UserRead | UnixFileMode.UserWrite, true)]
    [Arguments(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, false)]
    [Arguments(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite, false)]
    public void Only_its_owner_may_read_and_write_it(UnixFileMode mode, bool isRead)
    {
        var directory = Directory.CreateTempSubdirectory("cm");
        try
        {
            var path = Path.Combine(directory.FullName, ExternalRegistry.FileName);
            File.WriteAllText(path, Good);
            File.SetUnixFileMode(path, mode);
            if (isRead)
                ExternalRegistry.Read(path).ShouldHaveSingleItem();
            else
                Should.Throw<ExternalException>(() => ExternalRegistry.Read(path)).Message.ShouldContain($"chmod 600 {path}");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Test]
    [Arguments("/etc/colibri/external-mcp.json", "/etc/colibri/external-mcp.json")]
    [Arguments("/nowhere", "/home/u/.config/colibri/external-mcp.json")]
    public void It_lies_where_the_configuration_file_is_looked_for(string there, string found) =>
        ExternalRegistry.Locate(name => name == "HOME" ? "/home/u" : null, path => path == there).ShouldBe(found);

    [Test]
    public void It_lies_beside_the_configuration_file_that_is_stated() =>
        ExternalRegistry.Locate(name => name == "COLIBRI_CONFIG" ? "/srv/c.toml" : "/home/u", _ => true).ShouldBe("/srv/external-mcp.json");

    private static IReadOnlyList<ExternalServer> Parse(string json) => ExternalRegistry.Parse(Encoding.UTF8.GetBytes(json), "/r.json");
}

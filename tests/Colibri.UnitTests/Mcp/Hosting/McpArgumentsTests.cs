using Colibri.Mcp.Hosting;
using Colibri.Mcp.Tools;

namespace Colibri.UnitTests.Mcp.Hosting;

public sealed class McpArgumentsTests
{
    [Test]
    public void Without_a_word_it_serves_and_both_gates_are_closed() => Parse([]).ShouldBe(new McpArguments(McpAction.Serve, new ToolGates(false, false)));

    [Test]
    [Arguments("--write", true, false)]
    [Arguments("--external", false, true)]
    public void A_word_opens_its_gate(string word, bool write, bool external) => Parse([word]).Gates.ShouldBe(new ToolGates(write, external));

    [Test]
    [Arguments("COLIBRI_MCP_WRITE", "1", true, false)]
    [Arguments("COLIBRI_MCP_EXTERNAL", "1", false, true)]
    [Arguments("COLIBRI_MCP_WRITE", "0", false, false)]
    [Arguments("COLIBRI_MCP_WRITE", "yes", false, false)]
    public void A_variable_opens_its_gate_with_1_alone(string name, string value, bool write, bool external) =>
        McpArguments.Parse([], asked => asked == name ? value : null).Gates.ShouldBe(new ToolGates(write, external));

    [Test]
    [Arguments("--socket", "/s")]
    [Arguments("--socket=/s", null)]
    public void The_socket_is_stated_in_either_spelling(string first, string? second) => Parse(second is null ? [first] : [first, second]).SocketPath.ShouldBe("/s");

    [Test]
    [Arguments("--socket")]
    [Arguments("--socket=")]
    [Arguments("--writes")]
    [Arguments("serve")]
    public void What_is_not_known_is_refused(string word)
    {
        var parsed = Parse([word]);

        parsed.Action.ShouldBe(McpAction.Refuse);
        parsed.Problem!.ShouldContain(word == "--socket=" ? "--socket" : word);
    }

    [Test]
    public void Help_and_version_answer_as_soon_as_they_are_read()
    {
        Parse(["--version", "--what"]).Action.ShouldBe(McpAction.Version);
        Parse(["-h"]).Action.ShouldBe(McpAction.Help);
    }

    private static McpArguments Parse(string[] words) => McpArguments.Parse(words, _ => null);
}

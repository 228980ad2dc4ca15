using System.Text;
using System.Text.Json;
using Colibri.TestAgent;

namespace Colibri.UnitTests.TestAgent;

public sealed class BrokenStreamTests
{
    [Test]
    [Arguments(1)]
    [Arguments(5)]
    [Arguments(100)]
    public void As_many_broken_lines_as_asked_for_stand_among_the_whole_ones(int broken)
    {
        var whole = AgentStage.Lines(AgentStage.PlayBytes(new ScriptedInterlude(), "x")).Length;

        var lines = AgentStage.Lines(AgentStage.PlayBytes(new ScriptedInterlude(), "--malformed", $"{broken}", "x"));

        lines.Count(line => !IsJson(line)).ShouldBe(broken);
        lines.Length.ShouldBe(whole + broken);
        IsJson(lines[^1]).ShouldBeTrue();
    }

    [Test]
    [Arguments(0)]
    [Arguments(1)]
    [Arguments(65536)]
    [Arguments(200_001)]
    public void A_flood_is_one_line_of_exactly_its_length(int bytes)
    {
        var output = new MemoryStream();

        new EventLines(output, AgentStage.Options()).WriteFlood(bytes);

        output.Length.ShouldBe(bytes + 1);
        output.ToArray().AsSpan().IndexOf((byte)'\n').ShouldBe(bytes);
    }

    [Test]
    public void Nothing_is_escaped_that_JSON_does_not_ask_for() =>
        Encoding.UTF8.GetString(AgentStage.PlayBytes(new ScriptedInterlude(), "ä & <b>")).ShouldContain("ä & <b>");

    private static bool IsJson(string line)
    {
        try
        {
            JsonDocument.Parse(line).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

using System.Text.Json;
using System.Text.RegularExpressions;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Schema;
using Colibri.Protocol.Wire;
using Colibri.Tests;
using Colibri.UnitTests.Cli;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Protocol.Schema;

public sealed class WireSchemaTests
{
    private static readonly JsonElement Document = JsonElement.Parse(WireSchema.Document(indented: false).Span);
    private static readonly SchemaCheck Check = new(Document);

    public static List<string> Names => [.. WireCommand.All.Select(command => command.Name)];

    [Test]
    [MethodDataSource(nameof(Names))]
    public void A_command_has_its_request_and_its_reply(string name)
    {
        Check.Definitions.ShouldContain($"{name}.request");
        Check.Definitions.ShouldContain($"{name}.reply");
        Check.Definitions.Contains($"{name}.line").ShouldBe(name is "subscribe" or "follow-session");

        Check.Wrong($"{name}.request", JsonElement.Parse("""{"cmd":"other"}""")).ShouldNotBeNull();
        Check.Wrong($"{name}.reply", JsonElement.Parse("""{"ok":false,"error":{"code":"conflict","message":"no"},"id":7}""")).ShouldBeNull();
        Check.Wrong($"{name}.reply", JsonElement.Parse("""{"ok":false,"data":{}}""")).ShouldNotBeNull();
        Check.Wrong($"{name}.reply", JsonElement.Parse("""{"ok":true}""")).ShouldNotBeNull();
    }

    /// <summary>Each reference leads somewhere, and each definition can be come to from the root.</summary>
    [Test]
    public void Every_definition_is_referred_to()
    {
        var text = Document.GetRawText();
        var referred = Regex.Matches(text, """
            "\$ref":"#/\$defs/([^"]+)"
            """.Trim()).Select(match => match.Groups[1].Value).Distinct();

        referred.ShouldBe(Check.Definitions, ignoreOrder: true);
    }

    [Test]
    [Arguments("""{"cmd":"get-task","task_id":12,"id":"x","future":[1]}""", null)]
    [Arguments("""{"cmd":"get-task","task_id":"12"}""", null)]
    [Arguments("""{"cmd":"get-task","task_id":true}""", "get-task.request.task_id is True, not [\"string\",\"integer\"]")]
    [Arguments("""{"cmd":"get-task"}""", "get-task.request has no task_id")]
    [Arguments("""{"cmd":"create-task","title":"T","after":3,"tags":["a"],"priority":-5,"key":null}""", null)]
    [Arguments("""{"cmd":"create-task","title":"T","max_attempts":0}""", "create-task.request.max_attempts is 0, less than 1")]
    [Arguments("""{"cmd":"create-task","title":"T","max_attempts":101}""", "create-task.request.max_attempts is 101, more than 100")]
    [Arguments("""{"cmd":"create-task","title":"T","max_attempts":1.5}""", "create-task.request.max_attempts is Number, not [\"integer\",\"null\"]")]
    [Arguments("""{"cmd":"create-task","title":"T","tags":[1]}""", "create-task.request.tags[0] is Number, not string")]
    [Arguments("""{"cmd":"edit-task","task_id":1,"run_timeout_ms":0,"agent":""}""", null)]
    [Arguments("""{"cmd":"set-cost-mode","mode":"cheap"}""", "set-cost-mode.request.mode is cheap, which is none of [\"fast\",\"smart\",\"max\"]")]
    [Arguments("""{"cmd":"cost","by":"day-profile"}""", null)]
    [Arguments("""{"cmd":"subscribe","topics":["tasks"]}""", null)]
    [Arguments("""{"cmd":"subscribe","topics":["weather"]}""", "subscribe.request.topics[0] is weather, which is none of [\"tasks\",\"panes\",\"cost\",\"notices\"]")]
    [Arguments("""{"cmd":"spawn-agent","binary":"pi","jail":{"path":"/j"},"env":{"A":"1"}}""", null)]
    [Arguments("""{"cmd":"spawn-agent","binary":"pi","env":{"A":1}}""", "spawn-agent.request.env.A is Number, not string")]
    [Arguments("""{"cmd":"append-session","session_id":"s","entry":{"kind":"usage","usage":{"input_tokens":7}}}""", null)]
    [Arguments("""{"cmd":"append-session","session_id":"s","entry":{"kind":"compaction"}}""", "append-session.request.entry.kind is compaction, which is none of [\"user\",\"assistant\",\"tool_call\",\"tool_result\",\"question\",\"answer\",\"usage\",\"note\"]")]
    [Arguments("""{"cmd":"transition-task","task_id":1,"status":"failed","error":"it broke"}""", null)]
    public void A_request_is_held_against_the_table(string request, string? wrong)
    {
        var line = JsonElement.Parse(request);
        Check.Wrong($"{line.GetProperty("cmd").GetString()}.request", line).ShouldBe(wrong);
        Check.Wrong("request", line).ShouldBe(wrong is null ? null : Check.Wrong("request", line));
    }

    [Test]
    public void A_name_may_be_as_long_as_the_daemon_takes_it()
    {
        Check.Wrong("heartbeat.request", Request(256)).ShouldBeNull();
        Check.Wrong("heartbeat.request", Request(257)).ShouldBe("heartbeat.request.agent_id is too long");

        static JsonElement Request(int length) => JsonElement.Parse($$"""{"cmd":"heartbeat","agent_id":"{{new string('a', length)}}"}""");
    }

    [Test]
    public void A_reply_is_held_against_its_type()
    {
        var task = JsonSerializer.SerializeToElement(Samples.Failed, ProtocolJson.Wire.BoardTask).GetRawText();
        Check.Wrong("get-task.reply", Reply(task)).ShouldBeNull();
        Check.Wrong("get-task.reply", Reply(task.Replace("\"status\":\"failed\"", "\"status\":\"lost\"", StringComparison.Ordinal))).ShouldNotBeNull();
        Check.Wrong("get-task.reply", Reply(task.Replace("\"title\"", "\"heading\"", StringComparison.Ordinal))).ShouldNotBeNull();
        Check.Wrong("get-task.reply", Reply(task.Replace("\"attempts\":3", "\"attempts\":\"3\"", StringComparison.Ordinal))).ShouldNotBeNull();
        Check.Wrong("status.reply", Reply(Samples.Json(Samples.Status, ProtocolJson.Wire.StatusReport))).ShouldBeNull();
        Check.Wrong("ping.reply", Reply("{}")).ShouldBeNull();

        static JsonElement Reply(string data) => JsonElement.Parse($$"""{"ok":true,"data":{{data}}}""");
    }

    /// <summary>An absent value is left out, not null, with one exception.</summary>
    [Test]
    public void Nothing_is_null_but_a_tool_results_limit()
    {
        var types = Document.GetProperty("$defs").EnumerateObject().Where(one => !one.Name.Contains('.', StringComparison.Ordinal)).Select(one => one.Value.GetRawText());
        Regex.Count(string.Concat(types), "\"null\"").ShouldBe(1);
        Check.Wrong("CostState", JsonSerializer.SerializeToElement(Samples.Smart with { ToolResultMaxBytes = null }, ProtocolJson.Wire.CostState)).ShouldBeNull();
        Check.Wrong("CostState", JsonElement.Parse("""{"mode":"max","session_max_bytes":1,"max_uncompacted_turns":1}""")).ShouldBe("CostState has no tool_result_max_bytes");
    }

    [Test]
    public void Words_are_spelled_as_on_the_wire()
    {
        var definitions = Document.GetProperty("$defs");
        definitions.GetProperty(nameof(SessionEntryKind)).GetProperty("enum").EnumerateArray().Select(word => word.GetString()).ShouldContain("tool_result");
        definitions.GetProperty(nameof(CostGrouping)).GetProperty("enum").EnumerateArray().Select(word => word.GetString()).ShouldContain("day-profile");
    }

    /// <summary>The page says each field of each reply and event by its name, in code.</summary>
    [Test]
    public void The_protocols_page_has_every_field_of_every_type()
    {
        var code = Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "protocol.md")), "`[^`]+`|\"[a-z_]+\":")
            .SelectMany(span => Regex.Matches(span.Value, "[a-z][a-z0-9_]*").Select(word => word.Value)).ToHashSet(StringComparer.Ordinal);

        var lacking = Document.GetProperty("$defs").EnumerateObject()
            .Where(definition => !definition.Name.Contains('.', StringComparison.Ordinal) && definition.Value.TryGetProperty("properties", out _))
            .SelectMany(definition => definition.Value.GetProperty("properties").EnumerateObject()
                .Where(property => !code.Contains(property.Name)).Select(property => $"{definition.Name}.{property.Name}"));

        lacking.ShouldBeEmpty();
    }

    [Test]
    public async Task The_schema_is_printed_without_a_daemon()
    {
        var run = await CliRun.OfAsync(["--socket", "/nowhere", "schema", "--json"]);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        run.Out.ShouldBe(Document.GetRawText() + "\n");
        JsonElement.DeepEquals(JsonElement.Parse((await CliRun.OfAsync(["schema"])).Out), Document).ShouldBeTrue();
        Document.GetProperty("$schema").GetString().ShouldBe(WireSchema.Dialect);
    }
}

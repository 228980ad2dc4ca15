using System.Text.Json;
using System.Text.RegularExpressions;
using Colibri.Mcp.Tools;
using Colibri.Protocol;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Mcp.Tools;

/// <summary>The table of tools against the wire protocol and the document.</summary>
public sealed partial class ToolTableTests
{
    // Commands that change something. What is not here and not reading is not offered at all.
    private static readonly string[] Writing =
    [
        "create-task", "intake-task", "edit-task", "claim-task", "transition-task", "register-agent", "heartbeat", "cancel-task", "hold-task", "release-task", "retry-task",
        "answer", "prompt", "stop-agent", "land-task", "discard-task", "pause-queue", "resume-queue", "set-cost-mode",
    ];

    public static IEnumerable<string> Tools() => ToolTable.All.Select(tool => tool.Name);

    [Test]
    public void The_upstream_names_are_there()
    {
        foreach (var name in (string[])["status", "snapshot", "list_tasks", "get_task", "create_task", "intake_task", "set_cost_mode", "list_skills", "external_mcp_list", "external_mcp_tools", "external_mcp_call"])
            ToolTable.Find($"colibri_{name}").ShouldNotBeNull(name);
    }

    [Test]
    public void No_two_tools_have_one_name_and_each_name_is_one_that_clients_take()
    {
        ToolTable.All.Select(tool => tool.Name).Distinct().Count().ShouldBe(ToolTable.All.Count);
        ToolTable.All.Where(tool => !Name().IsMatch(tool.Name)).ShouldBeEmpty();
    }

    [Test]
    [MethodDataSource(nameof(Tools))]
    public void A_tool_stands_for_a_command_that_is_there(string name)
    {
        var tool = ToolTable.Find(name)!;
        if (tool.Gate == ToolGate.External)
            tool.Command.ShouldBeNull();
        else
            WireCommand.All.Any(command => command.Name == tool.Command).ShouldBeTrue(tool.Command);
    }

    [Test]
    [MethodDataSource(nameof(Tools))]
    public void What_changes_something_is_behind_the_gate_and_is_not_called_reading(string name)
    {
        var tool = ToolTable.Find(name)!;
        if (tool.Gate == ToolGate.External)
            return;
        var writes = Writing.Any(command => command == tool.Command) || tool.Name == "colibri_lift_budget";
        tool.Gate.ShouldBe(writes ? ToolGate.Write : ToolGate.None);
        tool.Protocol.Annotations!.ReadOnlyHint.ShouldBe(!writes);
        tool.Protocol.Annotations.DestructiveHint.ShouldBe(tool.Effect == ToolEffect.Ends);
    }

    [Test]
    [MethodDataSource(nameof(Tools))]
    public void Its_schema_has_each_argument_with_a_type_and_words(string name)
    {
        var tool = ToolTable.Find(name)!;
        var schema = tool.Protocol.InputSchema;
        schema.GetProperty("additionalProperties").GetBoolean().ShouldBeFalse();
        schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).ShouldBe(tool.Fields.Select(field => field.Name));
        foreach (var property in schema.GetProperty("properties").EnumerateObject())
        {
            property.Value.GetProperty("description").GetString().ShouldNotBeNullOrWhiteSpace();
            property.Value.TryGetProperty("type", out _).ShouldBeTrue(property.Name);
        }
        schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(tool.Fields.Where(field => field.IsRequired).Select(field => field.Name));
    }

    [Test]
    [Arguments("colibri_create_task", "priority", """{"type":"integer","minimum":-2147483648,"maximum":2147483647}""")]
    [Arguments("colibri_create_task", "capabilities", """{"type":"array","items":{"type":"string"}}""")]
    [Arguments("colibri_create_task", "after", """{"type":"array","items":{"type":["string","integer"]}}""")]
    [Arguments("colibri_create_task", "hold", """{"type":"boolean"}""")]
    [Arguments("colibri_edit_task", "run_timeout_ms", """{"type":"integer","minimum":0,"maximum":2592000000}""")]
    [Arguments("colibri_get_task", "task_id", """{"type":["string","integer"]}""")]
    [Arguments("colibri_session", "session_id", """{"type":["string","integer"]}""")]
    [Arguments("colibri_set_cost_mode", "mode", """{"type":"string","enum":["fast","smart","max"]}""")]
    [Arguments("colibri_transition_task", "status", """{"type":"string","enum":["started","done","failed","queued","cancelled"]}""")]
    [Arguments("colibri_list_tasks", "status", """{"type":"string"}""")]
    [Arguments("colibri_list_tasks", "order", """{"type":"string","enum":["oldest","newest"]}""")]
    [Arguments("colibri_stop", "grace_ms", """{"type":"integer","minimum":0,"maximum":600000}""")]
    [Arguments("colibri_answer", "cancelled", """{"type":"boolean"}""")]
    public void An_arguments_type_follows_from_the_wire_protocol(string tool, string argument, string expected)
    {
        var found = ToolTable.Find(tool)!.Protocol.InputSchema.GetProperty("properties").GetProperty(argument);

        found.EnumerateObject().Where(member => member.Name != "description").Select(member => $"{member.Name}:{member.Value}")
            .ShouldBe(JsonElement.Parse(expected).EnumerateObject().Select(member => $"{member.Name}:{member.Value}"));
    }

    /// <summary>docs/mcp.md has a row for each tool: its name, what it needs, and the command behind it.</summary>
    [Test]
    public void The_document_has_every_tool_in_the_tables_order()
    {
        var rows = File.ReadLines(Path.Combine(SourceTree.Root, "docs", "mcp.md"))
            .Where(line => line.StartsWith("| `colibri_", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => $"{cells[1]} {cells[2]} {cells[3]}");

        rows.ShouldBe(ToolTable.All.Select(tool => $"`{tool.Name}` {(tool.Gate == ToolGate.None ? "" : tool.Gate.ToString().ToLowerInvariant())} {(tool.Command is { } command ? $"`{command}`" : "")}"));
    }

    [GeneratedRegex("^colibri_[a-z_]{3,40}$")]
    private static partial Regex Name();
}

using System.Text.Json;
using Colibri.Mcp.Output;
using Colibri.Mcp.Tools;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.External;

/// <summary>The tools that reach other servers.</summary>
internal static class ExternalTools
{
    public static ToolField Server { get; } = new("server", FieldKind.Text, "the server, as colibri_external_mcp_list names it", IsRequired: true);

    /// <summary>Names alone: neither arguments nor values of variables, which may be secret.</summary>
    public static Task<ToolAnswer> ListAsync(ToolCall call)
    {
        var servers = call.External!.Read();
        return Task.FromResult(WireTools.Answer(JsonParts.Object(writer =>
        {
            writer.WriteStartArray("servers");
            foreach (var server in servers)
            {
                writer.WriteStartObject();
                writer.WriteString("name", server.Name);
                writer.WriteString("program", Path.GetFileName(server.Command));
                WriteTexts(writer, "variables", server.Variables.Keys);
                WriteTexts(writer, "allowed_tools", server.AllowedTools);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        })));
    }

    public static Task<ToolAnswer> ToolsAsync(ToolCall call) => call.External!.WithAsync(call.Text("server")!, async (server, client, cancellation) =>
    {
        var tools = await client.ListToolsAsync(cancellationToken: cancellation).ConfigureAwait(false);
        return WireTools.Answer(JsonParts.Object(writer =>
        {
            writer.WriteString("server", server.Name);
            writer.WriteStartArray("tools");
            foreach (var tool in tools.Where(tool => server.Allows(tool.Name)))
            {
                writer.WriteStartObject();
                writer.WriteString("name", tool.Name);
                writer.WriteString("description", tool.Description);
                writer.WritePropertyName("input_schema");
                tool.ProtocolTool.InputSchema.WriteTo(writer);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }));
    }, call.Cancellation);

    public static Task<ToolAnswer> CallAsync(ToolCall call) => call.External!.WithAsync(call.Text("server")!, async (server, client, cancellation) =>
    {
        var tool = call.Text("tool")!;
        if (!server.Allows(tool))
            throw new ExternalException($"the registry does not allow the tool '{Bounds.Cut(tool, 200)}' of {server.Name} (see: allowed_tools)");
        var arguments = call.Find("arguments") is { } given ? given.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.Clone()) : [];
        var result = await client.CallToolAsync(new CallToolRequestParams { Name = tool, Arguments = arguments }, cancellation).ConfigureAwait(false);
        var (fitted, _) = BoundedJson.Fit(JsonParts.Object(writer =>
        {
            writer.WriteString("server", server.Name);
            writer.WriteString("tool", tool);
            writer.WriteBoolean("is_error", result.IsError == true);
            writer.WriteStartArray("content");
            foreach (var block in result.Content)
            {
                writer.WriteStartObject();
                writer.WriteString("type", block.Type);
                writer.WriteString("text", TextOf(block));
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            if (result.StructuredContent is { ValueKind: JsonValueKind.Object } structured)
            {
                writer.WritePropertyName("structured");
                structured.WriteTo(writer);
            }
        }));
        return new ToolAnswer(Bounds.Cut(string.Join('\n', result.Content.Select(TextOf))), fitted, IsError: result.IsError == true);
    }, call.Cancellation);

    // What is no text is named, not passed on.
    private static string TextOf(ContentBlock block) => block is TextContentBlock text ? text.Text : $"[{block.Type}]";

    private static void WriteTexts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}

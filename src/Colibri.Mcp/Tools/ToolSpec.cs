using System.Buffers;
using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Tools;

/// <summary>One tool: what a client is told of it, and what a call of it does.</summary>
internal sealed record ToolSpec
{
    private Tool? _protocol;

    /// <summary><c>colibri_…</c>.</summary>
    public required string Name { get; init; }

    /// <summary>For a person.</summary>
    public required string Title { get; init; }

    /// <summary>For the model: what it does, and when to use it.</summary>
    public required string Description { get; init; }

    public required ToolEffect Effect { get; init; }

    /// <summary>The command of the wire protocol behind it; null of one that asks no daemon.</summary>
    public string? Command { get; init; }

    /// <summary>Sent besides the arguments of the call, as JSON members.</summary>
    public string? Preset { get; init; }

    /// <summary>Which gates must be open for it.</summary>
    public ToolGate Gate { get; init; }

    public IReadOnlyList<ToolField> Fields { get; init; } = [];

    /// <summary>The members of its structured result with their JSON types, as <c>tasks:array</c>; a <c>?</c> behind the name says that it may be absent.</summary>
    public required string Output { get; init; }

    /// <summary>Answers a call.</summary>
    public required Func<ToolCall, Task<ToolAnswer>> Run { get; init; }

    /// <summary>What <c>tools/list</c> says.</summary>
    public Tool Protocol => _protocol ??= new Tool
    {
        Name = Name,
        Title = Title,
        Description = Description,
        InputSchema = InputSchema(),
        OutputSchema = OutputSchema(),
        Annotations = new ToolAnnotations
        {
            Title = Title,
            ReadOnlyHint = Effect == ToolEffect.Reads,
            DestructiveHint = Effect == ToolEffect.Ends,
            IdempotentHint = Effect is ToolEffect.Reads or ToolEffect.Sets,
            OpenWorldHint = Gate == ToolGate.External,
        },
    };

    private JsonElement InputSchema() => Schema(writer =>
    {
        writer.WriteStartObject("properties");
        foreach (var field in Fields)
            field.WriteSchema(writer);
        writer.WriteEndObject();
        WriteRequired(writer, Fields.Where(field => field.IsRequired).Select(field => field.Name));
        writer.WriteBoolean("additionalProperties", false);
    });

    private JsonElement OutputSchema() => Schema(writer =>
    {
        var members = Output.Split(' ').Select(member => member.Split(':')).ToList();
        writer.WriteStartObject("properties");
        foreach (var member in members)
        {
            writer.WriteStartObject(member[0].TrimEnd('?'));
            writer.WriteString("type", member[1]);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        WriteRequired(writer, members.Where(member => !member[0].EndsWith('?')).Select(member => member[0]));
    });

    private static void WriteRequired(Utf8JsonWriter writer, IEnumerable<string> names)
    {
        writer.WriteStartArray("required");
        foreach (var name in names)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    private static JsonElement Schema(Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("type", "object");
            members(writer);
            writer.WriteEndObject();
        }
        return JsonElement.Parse(bytes.WrittenSpan);
    }
}

/// <summary>What a call of a tool changes.</summary>
internal enum ToolEffect
{
    Reads,

    /// <summary>A second call with the same arguments changes nothing more.</summary>
    Sets,

    /// <summary>Makes something anew with each call.</summary>
    Adds,

    /// <summary>Ends or takes away what may not come back.</summary>
    Ends,
}

/// <summary>Which gate must be open for a tool to be listed and called.</summary>
internal enum ToolGate
{
    None,

    /// <summary><c>--write</c> or <c>COLIBRI_MCP_WRITE=1</c>.</summary>
    Write,

    /// <summary>The write gate, and <c>--external</c> or <c>COLIBRI_MCP_EXTERNAL=1</c> besides.</summary>
    External,
}

/// <summary>What is answered to a call.</summary>
/// <param name="Text">What the model reads.</param>
/// <param name="Data">The structured result, one JSON object; null for an error.</param>
/// <param name="IsError">The call failed.</param>
internal sealed record ToolAnswer(string Text, JsonElement? Data = null, bool IsError = false)
{
    public static ToolAnswer Error(string text) => new(text, null, true);
}

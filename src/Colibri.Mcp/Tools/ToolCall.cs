using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Colibri.Mcp.Daemon;
using Colibri.Mcp.External;
using Colibri.Mcp.Waiting;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Colibri.Mcp.Tools;

/// <summary>One call of a tool.</summary>
/// <param name="tool">The tool.</param>
/// <param name="arguments">As the client sent them.</param>
/// <param name="daemon">The daemon that it asks.</param>
/// <param name="cancellation">The client has given the call up, or the program ends.</param>
internal sealed class ToolCall(ToolSpec tool, IDictionary<string, JsonElement>? arguments, DaemonCalls daemon, CancellationToken cancellation)
{
    public ToolSpec Tool => tool;
    public DaemonCalls Daemon => daemon;
    public CancellationToken Cancellation => cancellation;

    /// <summary>Where progress is told, and where a person can be asked; null where no client is behind the call.</summary>
    public McpServer? Client { get; init; }

    /// <summary>What the client calls the progress of this call; null where it wants none.</summary>
    public ProgressToken? Progress { get; init; }

    /// <summary>The task that the call runs as; null where the client waits for its answer.</summary>
    public CallTask? Task { get; init; }

    /// <summary>The client has closed its end, and waits for the answer for some seconds at most.</summary>
    public CancellationToken InputEnded { get; init; }

    /// <summary>Whether the tools that change things may be called.</summary>
    public bool MayWrite { get; init; }

    /// <summary>The servers that the external tools reach; null where that gate is closed.</summary>
    public ExternalServers? External { get; init; }

    /// <exception cref="ToolArgumentException">An argument is missing, of the wrong kind or unknown.</exception>
    public void Check()
    {
        foreach (var name in arguments?.Keys ?? [])
        {
            if (!tool.Fields.Any(field => field.Name == name))
                throw new ToolArgumentException($"{tool.Name} takes no argument '{name}'; it takes: {(tool.Fields.Count == 0 ? "none" : string.Join(", ", tool.Fields.Select(field => field.Name)))}");
        }
        foreach (var field in tool.Fields)
        {
            var value = Find(field.Name);
            if (value is null && field.IsRequired)
                throw new ToolArgumentException($"{tool.Name} needs the argument '{field.Name}': {field.Help}");
            if (value is { } given && !Fits(field, given))
                throw new ToolArgumentException($"'{field.Name}' is {Wanted(field)}: {field.Help}");
        }
    }

    /// <summary>The request of the wire protocol that the call stands for.</summary>
    /// <exception cref="ToolArgumentException">A value is not what the protocol has there.</exception>
    public CommandRequest Request()
    {
        var line = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            writer.WriteString("cmd", tool.Command);
            foreach (var field in tool.Fields)
            {
                if (Find(field.Name) is not { } value)
                    continue;
                writer.WritePropertyName(field.Name);
                value.WriteTo(writer);
            }
            if (tool.Preset is { } preset)
            {
                foreach (var member in JsonElement.Parse(preset).EnumerateObject())
                    member.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        try
        {
            return JsonSerializer.Deserialize(line.WrittenSpan, ProtocolJson.Wire.CommandRequest)!;
        }
        catch (JsonException e)
        {
            throw new ToolArgumentException($"an argument is not what {tool.Command} takes: {e.Path?.TrimStart('$', '.')}");
        }
    }

    public string? Text(string name) => Find(name) is { } value
        ? value.ValueKind == JsonValueKind.Number ? value.GetInt64().ToString(CultureInfo.InvariantCulture) : value.GetString()
        : null;

    public IReadOnlyList<string> Names(string name) => Find(name) is { } value
        ? [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number ? item.GetInt64().ToString(CultureInfo.InvariantCulture) : item.GetString()!)]
        : [];

    public long Integer(string name, long otherwise) => Find(name) is { } value ? value.GetInt64() : otherwise;

    public bool Flag(string name, bool otherwise = false) => Find(name) is { } value ? value.GetBoolean() : otherwise;

    /// <summary>An argument as it was sent; null where it is absent or null.</summary>
    public JsonElement? Find(string name) =>
        arguments is not null && arguments.TryGetValue(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    private static bool Fits(ToolField field, JsonElement value) => field.Kind switch
    {
        FieldKind.Text => value.ValueKind == JsonValueKind.String && (field.Values is null || field.Values.Any(known => value.ValueEquals(known))),
        FieldKind.Integer => IsInteger(value, field.Minimum ?? long.MinValue, field.Maximum ?? long.MaxValue),
        FieldKind.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        FieldKind.Name => IsName(value),
        FieldKind.Texts => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String),
        FieldKind.Tasks => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsName),
        _ => value.ValueKind == JsonValueKind.Object,
    };

    private static bool IsName(JsonElement value) => value.ValueKind == JsonValueKind.String || IsInteger(value, 0, long.MaxValue);

    private static bool IsInteger(JsonElement value, long minimum, long maximum) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= minimum && number <= maximum;

    private static string Wanted(ToolField field) => field.Kind switch
    {
        FieldKind.Text when field.Values is { } values => $"one of {string.Join(", ", values)}",
        FieldKind.Text => "a text",
        FieldKind.Integer => field is { Minimum: { } least, Maximum: { } most } ? $"a whole number from {least} to {most}" : "a whole number",
        FieldKind.Boolean => "true or false",
        FieldKind.Name => "a text or a whole number",
        FieldKind.Texts => "a list of texts",
        FieldKind.Tasks => "a list of tasks, by id or number",
        _ => "an object",
    };
}

/// <summary>A call that cannot be made so. The message is for the model, which can call again.</summary>
internal sealed class ToolArgumentException(string message) : Exception(message);

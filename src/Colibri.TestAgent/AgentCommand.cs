using System.Text;
using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>One line from stdin in RPC mode. <see cref="Id"/> is repeated in the answer as it came.</summary>
internal sealed record AgentCommand(string Type, JsonElement? Id)
{
    public string? Message { get; init; }
    public bool Confirmed { get; init; }

    /// <summary>What is wrong with the line; its type is then "parse".</summary>
    public string? Error { get; init; }

    public static AgentCommand Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetString(line));
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return Broken("not an object");
            return new AgentCommand(StringOf(root, "type") ?? "", root.TryGetProperty("id"u8, out var id) ? id.Clone() : null)
            {
                Message = StringOf(root, "message"),
                Confirmed = root.TryGetProperty("confirmed"u8, out var confirmed) && confirmed.ValueKind == JsonValueKind.True,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: one half of a surrogate pair, escaped.
            return Broken("not JSON");
        }
    }

    public static AgentCommand Broken(string why) => new("parse", Id: null) { Error = $"Failed to parse command: {why}" };

    private static string? StringOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

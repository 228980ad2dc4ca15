using System.Text.Json;

namespace Colibri.EndToEndTests.Models;

/// <summary>How one kind of server is asked and answers; what it answers is the same for all.</summary>
internal interface IModelApi
{
    /// <summary>Where requests are posted.</summary>
    string Path { get; }

    /// <summary>Whether a request that was posted there is one for an answer.</summary>
    bool IsAsked(string path) => path == Path;

    /// <summary>The tools that the model is offered.</summary>
    IEnumerable<OfferedTool> Tools(JsonElement request) => [];

    /// <summary>The body of a refusal.</summary>
    string Refusal(int status, string message) => JsonSerializer.Serialize(new { error = new { message, type = "mock_error", code = status } });

    /// <summary>What was said so far, the oldest first.</summary>
    IEnumerable<Utterance> Read(JsonElement request);

    /// <summary>The events up to the point where only the end is missing.</summary>
    IEnumerable<ServerEvent> Opening(Answer answer);

    /// <summary>The end, with the usage.</summary>
    IEnumerable<ServerEvent> Ending(Answer answer);
}

/// <param name="UserText">What the user said, as raw JSON; null for anything else.</param>
/// <param name="IsToolResult">A tool has answered.</param>
internal readonly record struct Utterance(string? UserText, bool IsToolResult);

/// <param name="Name">The event's name; null for none.</param>
/// <param name="Data">One line.</param>
internal readonly record struct ServerEvent(string? Name, string Data);

/// <param name="Name">The tool's name.</param>
/// <param name="Required">The arguments that it must have.</param>
internal sealed record OfferedTool(string Name, IReadOnlyList<string> Required)
{
    /// <param name="tool">Has its name.</param>
    /// <param name="schema">Of its arguments.</param>
    public static OfferedTool Of(JsonElement tool, JsonElement schema) => new(
        tool.GetProperty("name").GetString()!,
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("required", out var required) ? [.. required.EnumerateArray().Select(name => name.GetString()!)] : []);
}

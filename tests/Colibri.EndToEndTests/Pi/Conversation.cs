using System.Text.Json;
using System.Text.RegularExpressions;

namespace Colibri.EndToEndTests.Pi;

/// <param name="Scenario">The word after the latest <c>SCENARIO:</c> of a user message; <c>plain</c> without one.</param>
/// <param name="HasToolResult">Whether a tool has answered since.</param>
internal sealed partial record Conversation(string Scenario, bool HasToolResult)
{
    public static Conversation Of(JsonElement request)
    {
        var (scenario, hasToolResult) = ("plain", false);
        foreach (var message in request.GetProperty("messages").EnumerateArray())
        {
            var role = message.GetProperty("role").GetString();
            if (role == "tool")
                hasToolResult = true;
            if (role != "user" || !message.TryGetProperty("content", out var content))
                continue;
            // The content is a text or a list of parts; its raw JSON holds the word either way.
            if (ScenarioWord().Match(content.GetRawText()) is { Success: true } match)
                (scenario, hasToolResult) = (match.Groups[1].Value, false);
        }
        return new Conversation(scenario, hasToolResult);
    }

    [GeneratedRegex("SCENARIO:([a-z]+)")]
    private static partial Regex ScenarioWord();
}

using System.Text.Json;
using System.Text.RegularExpressions;

namespace Colibri.EndToEndTests.Models;

/// <param name="Scenario">The word after the latest <c>SCENARIO:</c> of a user message; <c>plain</c> without one.</param>
/// <param name="HasToolResult">Whether a tool has answered since.</param>
internal sealed partial record Conversation(string Scenario, bool HasToolResult)
{
    public static Conversation Of(IModelApi api, JsonElement request)
    {
        var (scenario, hasToolResult) = ("plain", false);
        // A request that offers no tools is the agent's own, as for a title: the same words mean nothing in it.
        if (!request.TryGetProperty("tools", out var tools) || tools.GetArrayLength() == 0)
            return new Conversation("plain", false);
        foreach (var said in api.Read(request))
        {
            hasToolResult |= said.IsToolResult;
            if (said.UserText is { } text && ScenarioWord().Match(text) is { Success: true } match)
                (scenario, hasToolResult) = (match.Groups[1].Value, false);
        }
        return new Conversation(scenario, hasToolResult);
    }

    [GeneratedRegex("SCENARIO:([a-z]+)")]
    private static partial Regex ScenarioWord();
}

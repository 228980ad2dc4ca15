using System.Text.Json;
using System.Text.RegularExpressions;

namespace Colibri.EndToEndTests.Models;

/// <param name="Scenario">The word after the latest <c>SCENARIO:</c> of a user message; <c>plain</c> without one.</param>
/// <param name="HasToolResult">Whether a tool has answered since.</param>
internal sealed partial record Conversation(string Scenario, bool HasToolResult)
{
    /// <summary>What stands in <c>RUN[…]</c> behind the scenario's word: the command of the scenario <c>work</c>.</summary>
    public string? Command { get; private init; }


    public static Conversation Of(IModelApi api, JsonElement request)
    {
        var (scenario, hasToolResult, command) = ("plain", false, (string?)null);
        // A request that offers no tools is the agent's own, as for a title: the same words mean nothing in it.
        if (!request.TryGetProperty("tools", out var tools) || tools.GetArrayLength() == 0)
            return new Conversation("plain", false);
        foreach (var said in api.Read(request))
        {
            hasToolResult |= said.IsToolResult;
            if (said.UserText is { } text && ScenarioWord().Match(text) is { Success: true } match)
                (scenario, hasToolResult, command) = (match.Groups[1].Value, false, RunWord().Match(text, match.Index) is { Success: true } run ? run.Groups[1].Value : null);
        }
        return new Conversation(scenario, hasToolResult) { Command = command };
    }

    [GeneratedRegex("SCENARIO:([a-z]+)")]
    private static partial Regex ScenarioWord();

    [GeneratedRegex(@"RUN\[([^\]]+)\]")]
    private static partial Regex RunWord();
}

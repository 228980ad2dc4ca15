using System.Text.Json;

namespace Colibri.EndToEndTests.Models;

/// <summary>How one kind of server is asked and answers; what it answers is the same for all.</summary>
internal interface IModelApi
{
    /// <summary>Where requests are posted.</summary>
    string Path { get; }

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

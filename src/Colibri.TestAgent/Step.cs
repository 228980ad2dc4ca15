using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>
/// One event to print, and what is waited for after it. <see cref="Body"/> writes the members after "type".
/// </summary>
internal sealed record Step(string Type, Action<Utf8JsonWriter>? Body = null)
{
    /// <summary>Waited for besides the pause that follows every event.</summary>
    public TimeSpan HoldAfter { get; init; }

    /// <summary>This event is a question: the run goes on when it is answered.</summary>
    public bool Asks { get; init; }

    /// <summary>The next event belongs to this one: no pause and no abort comes between them.</summary>
    public bool HasSequel { get; init; }

    /// <summary>Nothing comes after this event, and the run does not end.</summary>
    public bool Stalls { get; init; }
}

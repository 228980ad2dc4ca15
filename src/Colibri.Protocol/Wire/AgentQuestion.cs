namespace Colibri.Protocol.Wire;

/// <summary>What a blocked agent asks; <c>answer</c> answers it.</summary>
/// <param name="Request">The agent's id of the question.</param>
/// <param name="Method"><c>confirm</c> wants yes or no; <c>select</c>, <c>input</c> and <c>editor</c> want a value.</param>
/// <param name="Title">The question, at most 1,000 bytes of it.</param>
/// <param name="Message">More words on it, at most 4,000 bytes.</param>
/// <param name="Options">What a <c>select</c> lets choose from, the first 32.</param>
public sealed record AgentQuestion(string Request, string Method, string? Title = null, string? Message = null, IReadOnlyList<string>? Options = null)
{
    /// <summary>The question with its words passed through <paramref name="redact"/>.</summary>
    public AgentQuestion Redacted(Func<string, string> redact)
    {
        ArgumentNullException.ThrowIfNull(redact);
        return this with
        {
            Title = Title is null ? null : redact(Title),
            Message = Message is null ? null : redact(Message),
            Options = Options?.Select(redact).ToList(),
        };
    }
}

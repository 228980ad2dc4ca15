namespace Colibri.Protocol.Wire;

/// <summary>What a blocked agent asks; <c>answer</c> answers it.</summary>
/// <param name="Request">The agent's id of the question, at most 256 characters.</param>
/// <param name="Method"><c>confirm</c> wants yes or no; <c>select</c>, <c>input</c> and <c>editor</c> want a value.</param>
/// <param name="Title">The question, at most 1,000 characters of it.</param>
/// <param name="Message">More words on it, at most 4,000 characters.</param>
/// <param name="Options">What a <c>select</c> lets choose from, the first 32, at most 256 characters of each.</param>
public sealed record AgentQuestion(string Request, string Method, string? Title = null, string? Message = null, IReadOnlyList<string>? Options = null)
{
    private const int MaxNameChars = 256;
    private const int MaxTitleChars = 1_000;
    private const int MaxMessageChars = 4_000;

    /// <summary>The question as it is shown. One whose very id had to be shortened cannot be answered.</summary>
    /// <param name="excerpt">Shortens a text to so many characters.</param>
    public AgentQuestion Shortened(Func<string, int, string> excerpt)
    {
        ArgumentNullException.ThrowIfNull(excerpt);
        return new AgentQuestion(
            excerpt(Request, MaxNameChars),
            excerpt(Method, MaxNameChars),
            Title is null ? null : excerpt(Title, MaxTitleChars),
            Message is null ? null : excerpt(Message, MaxMessageChars),
            Options?.Select(option => excerpt(option, MaxNameChars)).ToList());
    }
}

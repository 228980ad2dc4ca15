namespace Colibri.Protocol.Wire;

/// <summary>The <c>error</c> of a reply.</summary>
/// <param name="Code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="Message">One line that names the thing, the value and the next step.</param>
public sealed record WireError(string Code, string Message);

namespace Colibri.Cli.PrefixCheck;

/// <summary>Where a request departs from the one before.</summary>
/// <param name="Path">In the request's JSON: <c>messages[3].content</c>.</param>
/// <param name="Was">What stood there in the earlier request, with a few characters around.</param>
/// <param name="Now">What stands there in the later one; null where it has ended.</param>
internal sealed record PrefixBreak(string Path, string Was, string? Now);

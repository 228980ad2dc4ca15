namespace Colibri.Core.Processes;

/// <summary>A way to end an agent without a signal.</summary>
/// <param name="Ask">Asks; returns at once.</param>
/// <param name="IsHeeded">Whether it has ended since.</param>
internal sealed record PoliteEnd(Action Ask, Func<bool> IsHeeded);

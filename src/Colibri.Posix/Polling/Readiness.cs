namespace Colibri.Posix.Polling;

/// <summary>One answer of the kernel about one descriptor.</summary>
/// <param name="Token">What it was watched under.</param>
/// <param name="CanRead">There is something to read, an end or an error included.</param>
/// <param name="CanWrite">There is room to write, or writing would fail.</param>
/// <param name="IsHungUp">Nothing will come any more behind what can be read now.</param>
internal readonly record struct Readiness(long Token, bool CanRead, bool CanWrite, bool IsHungUp);

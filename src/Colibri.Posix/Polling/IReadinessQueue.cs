namespace Colibri.Posix.Polling;

/// <summary>
/// The kernel's queue of descriptors that have become ready. Edge-triggered: told once for each change, and not again while nothing new
/// has happened, whoever reads or does not read. Closing a descriptor ends its watch.
/// </summary>
internal interface IReadinessQueue : IDisposable
{
    /// <summary>Watches a descriptor for something to read.</summary>
    /// <exception cref="IOException">The system refused, as a rule for want of memory.</exception>
    void Watch(int descriptor, long token);

    /// <summary>Also tells, once or more often, when there is room to write; or no longer.</summary>
    /// <exception cref="IOException">The system refused.</exception>
    void WatchRoom(int descriptor, long token, bool wanted);

    /// <summary>Waits until something is ready, and says how much of <paramref name="ready"/> it has filled; 0 after a signal.</summary>
    /// <param name="ready">Not empty.</param>
    /// <param name="block">False to look and come back at once.</param>
    int Wait(Span<Readiness> ready, bool block);
}

/// <summary>One answer of the kernel about one descriptor.</summary>
/// <param name="Token">What it was watched under.</param>
/// <param name="CanRead">There is something to read, an end or an error included.</param>
/// <param name="CanWrite">There is room to write, or writing would fail.</param>
/// <param name="IsHungUp">Nothing will come any more behind what can be read now.</param>
internal readonly record struct Readiness(long Token, bool CanRead, bool CanWrite, bool IsHungUp);

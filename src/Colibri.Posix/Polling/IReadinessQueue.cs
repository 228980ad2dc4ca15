namespace Colibri.Posix.Polling;

/// <summary>
/// The kernel's queue of descriptors that have become ready. It is edge-triggered: it reports each change once, whether or not the data is
/// read. Closing a descriptor ends its watch.
/// </summary>
internal interface IReadinessQueue : IDisposable
{
    /// <summary>Watches a descriptor for something to read.</summary>
    /// <exception cref="IOException">The system refused, as a rule because it lacks memory.</exception>
    void Watch(int descriptor, long token);

    /// <summary>Turns reports of room to write on or off. While they are on, at least one comes when there is room.</summary>
    /// <exception cref="IOException">The system refused.</exception>
    void WatchRoom(int descriptor, long token, bool wanted);

    /// <summary>Waits until a descriptor is ready and returns how many entries of <paramref name="ready"/> it has filled; 0 after a signal.</summary>
    /// <param name="ready">Not empty.</param>
    /// <param name="block">False to poll and return at once.</param>
    int Wait(Span<Readiness> ready, bool block);
}

/// <summary>One event of the kernel about one descriptor.</summary>
/// <param name="Token">The token it is watched under.</param>
/// <param name="CanRead">A read returns at once: data, the end or an error.</param>
/// <param name="CanWrite">A write returns at once: there is room, or it fails.</param>
/// <param name="IsHungUp">The peer has finished: after the data that is there, the end follows.</param>
internal readonly record struct Readiness(long Token, bool CanRead, bool CanWrite, bool IsHungUp);

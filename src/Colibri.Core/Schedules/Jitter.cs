namespace Colibri.Core.Schedules;

/// <summary>How much later a firing's task starts: the same for the same schedule and time on every host and after every restart.</summary>
internal static class Jitter
{
    /// <returns>From 0 up to, and without, the most.</returns>
    public static TimeSpan Of(string name, DateTimeOffset at, long mostMs)
    {
        // FNV-1a with the finisher of SplitMix64, because the times of one schedule differ in few bits.
        var hash = 14695981039346656037UL;
        foreach (var letter in name)
            hash = (hash ^ letter) * 1099511628211UL;
        hash ^= (ulong)at.ToUnixTimeMilliseconds();
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBUL;
        hash ^= hash >> 31;
        return TimeSpan.FromMilliseconds((long)(hash % (ulong)mostMs));
    }
}

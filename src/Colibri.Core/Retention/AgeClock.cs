namespace Colibri.Core.Retention;

/// <summary>
/// The clock by which the age of what is on disk is told. What is on disk is dated by the wall clock, which people set: a clock that is set forward must not
/// make the young old. So a step forward counts only as far as the clock has stayed ahead for a whole day of running; until then ages are told by the clock
/// as it was, going on. A step back counts at once, because it makes everything younger. Safe from any thread.
/// </summary>
/// <remarks>
/// A host that was suspended looks like one whose clock was set forward: its things are kept a day of running longer. A clock that is wrong when the daemon
/// starts is taken for right, as it is everywhere else.
/// </remarks>
/// <param name="time">The clock that dates what is on disk, and its monotonic one.</param>
internal sealed class AgeClock(TimeProvider time)
{
    /// <summary>How long a clock must have stayed ahead, of time that this daemon has seen pass.</summary>
    public static readonly TimeSpan Proof = TimeSpan.FromDays(1);

    // A smaller difference may come from reading the two clocks one after the other.
    private static readonly TimeSpan Smallest = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly long _start = time.GetTimestamp();

    // By the hour since the start: the least by which the clock was ahead then. No more than the hours of the proof are kept.
    private readonly SortedDictionary<long, TimeSpan> _ahead = [];
    private DateTimeOffset _base = time.GetUtcNow();
    private TimeSpan _since;

    /// <summary>The time by which ages are told. To be asked every hour or more often.</summary>
    public DateTimeOffset Now()
    {
        lock (_gate)
        {
            var (elapsed, wall) = (time.GetElapsedTime(_start), time.GetUtcNow());
            var ahead = wall - (_base + elapsed);
            if (ahead < Smallest)
            {
                _base += ahead;
                _ahead.Clear();
                return wall;
            }
            if (_ahead.Count == 0)
                _since = elapsed;
            var hour = (long)elapsed.TotalHours;
            _ahead[hour] = _ahead.TryGetValue(hour, out var least) && least < ahead ? least : ahead;
            foreach (var old in _ahead.Keys.TakeWhile(key => key < hour - (long)Proof.TotalHours).ToList())
                _ahead.Remove(old);
            if (elapsed - _since >= Proof && _ahead.Values.Min() is var proven && proven > TimeSpan.Zero)
            {
                _base += proven;
                foreach (var key in _ahead.Keys.ToList())
                    _ahead[key] -= proven;
            }
            return _base + elapsed;
        }
    }
}

using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// Rests programs whose start lacked something that may come back: memory, processes, descriptors, room on the disk, or a program file that is not
/// being written. Their tasks wait unclaimed, as for a missing program. An operator may still start one. Safe from any thread.
/// </summary>
public sealed class StartRests(TimeProvider time, ILogger logger)
{
    // Programs are few. Beyond this number the oldest is forgotten, so that a client that starts ever new ones costs bounded memory.
    private const int MaxPrograms = 64;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly List<Program> _programs = [];

    /// <summary>When a program's rest ends, by the wall clock as it is set now; null while it may be started. The rest runs on the monotonic clock.</summary>
    public DateTimeOffset? RestsUntil(string path)
    {
        lock (_gate)
            return _programs.Find(program => program.Path == path)?.Rest.EndsAt(time);
    }

    /// <summary>A start lacked something. Starts that were under way together count as one.</summary>
    public void Lacked(string path, string reason)
    {
        lock (_gate)
        {
            if (_programs.Find(known => known.Path == path) is not { } program)
            {
                if (_programs.Count == MaxPrograms)
                    _programs.RemoveAt(0);
                _programs.Add(program = new Program(path));
                logger.StartsRest(path, reason, (long)First.TotalMilliseconds, (long)Longest.TotalSeconds);
            }
            if (program.Rest.Left(time) > TimeSpan.Zero)
                return;
            program.Rest = Rest.Of(program.Next, time);
            program.Next = program.Next * 2 < Longest ? program.Next * 2 : Longest;
        }
    }

    /// <summary>A start went well.</summary>
    public void Started(string path)
    {
        lock (_gate)
        {
            if (_programs.RemoveAll(program => program.Path == path) > 0)
                logger.StartsGoOn(path);
        }
    }

    private sealed class Program(string path)
    {
        public string Path => path;
        public TimeSpan Next { get; set; } = First;
        public Rest Rest { get; set; }
    }
}

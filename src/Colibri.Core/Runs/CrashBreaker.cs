using Colibri.Core.Logging;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// Stops the scheduler from starting a program that does nothing but crash: after some crashes in a row it rests, longer each time, and
/// its tasks wait instead of using up their attempts. An operator may start it all the same. Safe from any thread.
/// </summary>
public sealed class CrashBreaker(TimeProvider time, ILogger logger)
{
    /// <summary>Crashes in a row after which a program rests.</summary>
    public const int TripsAfter = 5;

    /// <summary>An end this soon after the start, without an event, is a crash.</summary>
    public static readonly TimeSpan CrashWithin = TimeSpan.FromSeconds(10);

    // Programs are few; whoever starts ever new ones makes the oldest be forgotten.
    private const int MaxPrograms = 64;

    private static readonly TimeSpan FirstRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private readonly List<Program> _programs = [];

    /// <summary>Until when a program rests; null while it may be started.</summary>
    public DateTimeOffset? RestsUntil(string path)
    {
        lock (_gate)
            return _programs.Find(program => program.Path == path)?.Until is { } until && until > time.GetUtcNow() ? until : null;
    }

    /// <summary>The programs that rest now.</summary>
    public IReadOnlyList<StatusBreaker> Status()
    {
        lock (_gate)
        {
            return [.. _programs.Where(program => program.Until > time.GetUtcNow())
                .Select(program => new StatusBreaker(program.Path, program.Until!.Value, program.Crashes, program.LastError))];
        }
    }

    /// <summary>Tells how a start of a program ended.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="crashed">It ended at once, without an event, or could not be started.</param>
    /// <param name="error">Why, in one line.</param>
    public void Report(string path, bool crashed, string? error = null)
    {
        lock (_gate)
        {
            var program = _programs.Find(known => known.Path == path);
            if (!crashed)
            {
                if (program is { Until: not null })
                    logger.BreakerClosed(path);
                if (program is not null)
                    _programs.Remove(program);
                return;
            }
            if (program is null)
            {
                if (_programs.Count == MaxPrograms)
                    _programs.RemoveAt(0);
                _programs.Add(program = new Program(path));
            }
            program.Crashes++;
            program.LastError = error;
            if (program.Crashes < TripsAfter)
                return;
            var rest = FirstRest * Math.Pow(2, Math.Min(program.Crashes - TripsAfter, 10));
            program.Until = time.GetUtcNow() + (rest < LongestRest ? rest : LongestRest);
            logger.BreakerTripped(path, program.Crashes, program.Until.Value, error ?? "");
        }
    }

    private sealed class Program(string path)
    {
        public string Path => path;
        public int Crashes { get; set; }
        public DateTimeOffset? Until { get; set; }
        public string? LastError { get; set; }
    }
}

using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// Stops the scheduler from starting a program that only crashes. After some crashes in a row the program rests, longer each time, and its
/// tasks wait instead of using up their attempts. An operator may still start it. Safe from any thread.
/// </summary>
public sealed class CrashBreaker(TimeProvider time, ILogger logger)
{
    /// <summary>Crashes in a row after which a program rests.</summary>
    public const int TripsAfter = 5;

    /// <summary>An end this soon after the start, without an event or before the model answered, is a crash.</summary>
    public static readonly TimeSpan CrashWithin = TimeSpan.FromSeconds(10);

    // Programs are few. Beyond this number the oldest is forgotten, so that a client that starts ever new ones costs bounded memory.
    private const int MaxPrograms = 64;

    private static readonly TimeSpan FirstRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private readonly List<Program> _programs = [];

    /// <summary>When a program's rest ends, by the wall clock as it is set now; null while it may be started. The rest runs on the monotonic clock.</summary>
    public DateTimeOffset? RestsUntil(string path)
    {
        lock (_gate)
            return _programs.Find(program => program.Path == path)?.Rest?.EndsAt(time);
    }

    /// <summary>The programs that rest now.</summary>
    public IReadOnlyList<StatusBreaker> Status()
    {
        lock (_gate)
        {
            return [.. _programs.Select(program => (Of: program, Until: program.Rest?.EndsAt(time))).Where(program => program.Until is not null)
                .Select(program => new StatusBreaker(program.Of.Path, program.Until!.Value, program.Of.Crashes, program.Of.LastError))];
        }
    }

    /// <summary>Reports how a start of a program ended.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="crashed">It ended at once, without an event, or could not be started.</param>
    /// <param name="error">Why, in one line.</param>
    /// <param name="task">
    /// The task of a start that printed events and failed before the model answered: by itself it may be the task's fault, so only several tasks
    /// make the program rest. Null where the program alone is to blame.
    /// </param>
    public void Report(string path, bool crashed, string? error = null, string? task = null)
    {
        lock (_gate)
        {
            var program = _programs.Find(known => known.Path == path);
            if (!crashed)
            {
                if (program is { Rest: not null })
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
            program.IsToBlame |= task is null || (program.LastTask is { } last && last != task);
            program.LastTask = task ?? program.LastTask;
            if (program.Crashes < TripsAfter || !program.IsToBlame)
                return;
            var rest = FirstRest * Math.Pow(2, Math.Min(program.Crashes - TripsAfter, 10));
            rest = rest < LongestRest ? rest : LongestRest;
            program.Rest = Rest.Of(rest, time);
            logger.BreakerTripped(path, program.Crashes, time.GetUtcNow() + rest, error ?? "");
        }
    }

    private sealed class Program(string path)
    {
        public string Path => path;
        public int Crashes { get; set; }
        public Rest? Rest { get; set; }
        public string? LastError { get; set; }
        public string? LastTask { get; set; }

        /// <summary>A start failed whatever its task was, or two different tasks did.</summary>
        public bool IsToBlame { get; set; }
    }
}

using System.Diagnostics;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.Benchmarks;

/// <summary>
/// Appends to one session of entries with 300 bytes of text, many callers waiting for their answers at a time, and the memory of many
/// open sessions. What is measured is what the daemon runs: limits held, compactions with their syncs included.
/// </summary>
internal static class SessionsBenchmark
{
    private const int Callers = 64;
    private const int TextBytes = 300;

    public static async Task AppendAsync(int count, CostMode mode, string directory)
    {
        var store = Store(mode, directory);
        // Notes fill the bytes a generation may have; turns use up its turns long before.
        foreach (var (name, kind) in new[] { ("notes", SessionEntryKind.Note), ("turns", SessionEntryKind.Assistant) })
        {
            var entry = new SessionEntry { Kind = kind, Text = new string('x', TextBytes) };
            await AppendFromManyAsync(store, name, entry, count / 10).ConfigureAwait(false);
            var start = Stopwatch.GetTimestamp();
            await AppendFromManyAsync(store, name, entry, count).ConfigureAwait(false);
            Console.WriteLine($"{name} {count / Stopwatch.GetElapsedTime(start).TotalSeconds:F1}");
            Console.WriteLine($"{name}_generations {Directory.GetFiles(Path.Combine(directory, name)).Length}");
        }
    }

    public static async Task OpenAsync(int count, string directory)
    {
        var store = Store(CostMode.Smart, directory);
        var entry = new SessionEntry { Kind = SessionEntryKind.User, Text = new string('x', TextBytes) };
        await store.AppendAsync("warm-up", entry).ConfigureAwait(false);
        var (managed, resident) = Memory();
        for (var i = 0; i < count; i++)
            await store.AppendAsync($"session-{i}", entry).ConfigureAwait(false);
        var (managedAfter, residentAfter) = Memory();
        GC.KeepAlive(store);
        Console.WriteLine($"managed {(managedAfter - managed) / (double)count:F0}");
        Console.WriteLine($"resident {(residentAfter - resident) / (double)count:F0}");
    }

    private static SessionStore Store(CostMode mode, string directory) =>
        new(directory, new CostControl(mode, new EventHub(TimeProvider.System)), TimeProvider.System, NullLogger.Instance);

    private static Task AppendFromManyAsync(SessionStore store, string id, SessionEntry entry, int count) => Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
    {
        await Task.Yield();
        for (var i = 0; i < count / Callers; i++)
            await store.AppendAsync(id, entry).ConfigureAwait(false);
    }));

    private static (long Managed, long Resident) Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var resident = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return (GC.GetTotalMemory(forceFullCollection: true), long.Parse(resident) * 1024);
    }
}

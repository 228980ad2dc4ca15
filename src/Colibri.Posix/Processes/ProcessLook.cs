using System.Collections.Concurrent;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Processes;

/// <summary>
/// One reading of the process table, which any number of trees may be looked for in. Environments are read when they are first asked for, which
/// is after the table, and kept for the other trees. From any thread.
/// </summary>
public sealed class ProcessLook
{
    // An environment is a few KiB as a rule. What does not fit is read again for each tree.
    private const int KeptBytes = 16 * 1024 * 1024;

    private readonly ConcurrentDictionary<int, byte[]> _environments = new();
    private readonly Dictionary<int, long> _roots;
    private int _kept;

    private ProcessLook(List<ProcessEntry> table, Dictionary<int, long> roots) => (Table, _roots) = (table, roots);

    internal IReadOnlyList<ProcessEntry> Table { get; }

    /// <summary>Reads the process table now.</summary>
    /// <exception cref="IOException">It cannot be read whole, as a rule for want of descriptors.</exception>
    public static ProcessLook Take()
    {
        // Zombies of ours would only be read and dropped again.
        ChildProcesses.Current?.Reap();
        var table = ProcessTable.Snapshot();
        var roots = new Dictionary<int, long>();
        foreach (var child in ChildProcesses.Current?.Known() ?? [])
            roots[child.Pid] = child.Identity.StartTime;
        RereadReparented(table);
        return new ProcessLook(table, roots);
    }

    /// <summary>Whether it was a child of ours at the look. It may have been reaped since: then it must not pass for an orphan.</summary>
    internal bool IsRoot(in ProcessEntry entry) => _roots.TryGetValue(entry.Pid, out var startTime) && StartTimes.AreSame(startTime, entry.StartTime);

    /// <summary><see cref="ProcessEnvironment.Has"/> with the whole entry, each environment read once.</summary>
    /// <exception cref="IOException">There is no descriptor to read it with (EMFILE, ENFILE).</exception>
    internal bool HasEntry(int pid, ReadOnlySpan<byte> entry)
    {
        if (!_environments.TryGetValue(pid, out var environment))
        {
            environment = ProcessEnvironment.ReadSmall(pid);
            if (environment is null || Interlocked.Add(ref _kept, environment.Length) > KeptBytes)
                return ProcessEnvironment.Has(pid, entry);
            _environments.TryAdd(pid, environment);
        }
        return ProcessEnvironment.Holds(environment, entry);
    }

    // A parent that ended between the reading of its child's row and of its own leaves a chain to nowhere: the child has
    // a new parent by now.
    private static void RereadReparented(List<ProcessEntry> table)
    {
        var pids = new HashSet<int>(table.Count);
        foreach (var entry in table)
            pids.Add(entry.Pid);
        for (var i = 0; i < table.Count; i++)
        {
            if (table[i].ParentPid > 0 && !pids.Contains(table[i].ParentPid) && ProcessTable.TryRead(table[i].Pid, out var now))
                table[i] = now;
        }
    }
}

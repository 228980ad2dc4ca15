using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Trees;

/// <summary>Finds the members of one tree in one look at the process table.</summary>
internal sealed class TreeSweep
{
    private static readonly TimeSpan SpawnLimit = TimeSpan.FromMilliseconds(100);

    private readonly ProcessIdentity _root;
    private readonly ChildProcess? _child;
    private readonly byte[] _marker;
    private readonly Cgroup? _cgroup;
    private readonly ProcessLook _look;
    private readonly HashSet<int> _otherPids = [];
    private readonly ExecWait _execs = new();
    private ChildProcess[]? _others;

    public TreeSweep(ProcessLook look, ProcessIdentity root, ChildProcess? child, byte[] marker, Cgroup? cgroup)
    {
        _look = look;
        _root = root;
        _child = child;
        _marker = marker;
        _cgroup = cgroup;
    }

    public List<ProcessIdentity> Run(ProcessIdentity[] earlier)
    {
        // Read after the table: whoever lives with its number at both times was in the cgroup, and whoever took over a number
        // in between has another start time than the table says, and is not signalled.
        var placed = _cgroup?.Processes() ?? [];
        foreach (var other in OtherRoots())
            _otherPids.Add(other.Pid);
        placed.ExceptWith(_otherPids);
        placed.Remove(Environment.ProcessId);
        var table = new List<ProcessEntry>();
        foreach (var entry in _look.Table)
        {
            if (IsCandidate(entry) || placed.Contains(entry.Pid))
                table.Add(entry);
        }

        var members = new HashSet<int>(placed);
        var rootAlive = AddRoot(table, members);
        if (_child is not null && !HostPlatform.UsesLinuxAbi)
            members.UnionWith(FreeBsdProcesses.ReaperSubtree(_child.Pid));
        foreach (var entry in table)
        {
            if (Array.Exists(earlier, entry.Identity.IsSameAs))
                members.Add(entry.Pid);
        }
        AddDescendants(table, members);
        foreach (var entry in table)
        {
            if (!members.Contains(entry.Pid) && IsOfTheTree(entry, rootAlive))
                members.Add(entry.Pid);
        }
        AddDescendants(table, members);

        var result = new List<ProcessIdentity>(members.Count);
        foreach (var entry in table)
        {
            if (members.Contains(entry.Pid))
                result.Add(entry.Identity);
        }
        return result;
    }

    public static bool MayBeSignalled(in ProcessEntry entry) =>
        entry.Pid > 1 && entry.Pid != Environment.ProcessId && !entry.IsZombie;

    // What began before the root did not come out of it. Whether the root's own number is still the root's, its marker says.
    private bool IsCandidate(in ProcessEntry entry) =>
        MayBeSignalled(entry) && (entry.Pid == _root.Pid || !StartTimes.IsBefore(entry.StartTime, _root.StartTime)) && !_otherPids.Contains(entry.Pid) && (entry.Pid == _root.Pid || !_look.IsRoot(entry));

    private bool AddRoot(List<ProcessEntry> table, HashSet<int> members)
    {
        // A recorded root counts only in its own boot and with its own start time.
        if (_root.StartTime <= 0 || _root.BootId != BootId.Current)
            return false;
        foreach (var entry in table)
        {
            if (entry.Identity.IsSameAs(_root))
                return members.Add(entry.Pid);
        }
        return false;
    }

    // The table has no useful order, so repeat until a pass finds no new member: one pass for each level of the tree.
    private static void AddDescendants(List<ProcessEntry> table, HashSet<int> members)
    {
        for (var before = -1; before != members.Count;)
        {
            before = members.Count;
            foreach (var entry in table)
            {
                if (members.Contains(entry.ParentPid))
                    members.Add(entry.Pid);
            }
        }
    }

    private bool IsOfTheTree(in ProcessEntry entry, bool rootAlive)
    {
        var adopted = entry.ParentPid == Environment.ProcessId;
        var sharesGroup = entry.Group == _root.Pid || entry.Session == _root.Pid;
        // Once the root is gone, its number may be another group's. Then only processes that were reparented to us count.
        if (sharesGroup && (rootAlive || (adopted && _child is not null)))
            return true;
        if (adopted)
            _execs.For(entry.Pid);
        if (_look.HasEntry(entry.Pid, _marker))
            return true;
        return adopted && HostPlatform.UsesLinuxAbi && IsUnmarkedOrphan(entry);
    }

    // An orphan without a marker belongs to this tree if no other living root can be its ancestor.
    private bool IsUnmarkedOrphan(in ProcessEntry entry)
    {
        if (_child is null)
            return false;
        // A child that is being started shows our environment until its exec, and is not registered yet. It must not be taken for an orphan, so the
        // roots are read again when every start under way has returned.
        if (_others is null)
        {
            if (!_child.Owner.AwaitSpawnsInFlight(SpawnLimit))
                return false;
            _others = OtherRoots();
        }
        foreach (var other in _others)
        {
            if (other.Pid == entry.Pid || !StartTimes.IsBefore(entry.StartTime, other.Identity.StartTime))
                return false;
        }
        // Read anew: a start that was waited for has another environment now than at the look.
        var name = _marker.AsSpan(0, _marker.IndexOf((byte)'=') + 1);
        return !ProcessEnvironment.Has(entry.Pid, name, prefix: true);
    }

    private ChildProcess[] OtherRoots()
    {
        var known = (_child?.Owner ?? ChildProcesses.Current)?.Known() ?? [];
        return [.. known.Where(other => other.Pid != _root.Pid)];
    }
}

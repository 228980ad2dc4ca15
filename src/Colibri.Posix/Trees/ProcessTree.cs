using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Trees;

/// <summary>
/// A process and all its descendants. Agents start their tools in sessions of their own and leave orphans, so the process group is not the tree.
/// A process is a member by its chain of parents, by the root's process group or session, by the marker in the environment it was started with,
/// by earlier membership, by the tree's cgroup if it has one, and on FreeBSD by the kernel's reaper. Never members: this process, pid 1, and
/// other children that <see cref="ChildProcesses"/> started.
/// </summary>
/// <remarks>
/// Under linux64 without linprocfs only the root and its group can be seen; wrap the agent in <c>/bin/timeout 0</c> there.
/// </remarks>
public sealed class ProcessTree
{
    private readonly ProcessIdentity _root;
    private readonly ChildProcess? _child;
    private readonly byte[] _marker;
    private readonly Cgroup? _cgroup;

    // A member stays one while it lives: it may clear its environment and leave its parent later, and a dying process has no environment.
    private volatile ProcessIdentity[] _members = [];

    /// <summary>The tree of a child.</summary>
    /// <param name="root">The process at the top, living or ended.</param>
    /// <param name="marker">The environment entry, "NAME=value", that the root was started with and no other root was.</param>
    /// <param name="cgroup">The one that was made for this tree alone, or null.</param>
    public ProcessTree(ChildProcess root, string marker, Cgroup? cgroup = null)
        : this((root ?? throw new ArgumentNullException(nameof(root))).Identity, root, marker, cgroup)
    {
    }

    private ProcessTree(ProcessIdentity root, ChildProcess? child, string marker, Cgroup? cgroup)
    {
        _cgroup = cgroup;
        _root = root;
        _child = child;
        _marker = EncodeMarker(marker);
    }

    /// <summary>Whether the process table can be read. It cannot under linux64 without linprocfs, where processes have no start times.</summary>
    public static bool CanBeSeen => !HostPlatform.UsesLinuxAbi || Directory.Exists("/proc/self");

    /// <summary>Whether no process has this pid, which is all that can be known where processes cannot be seen.</summary>
    public static bool IsPidFree(int pid) => Libc.kill(pid, 0) != 0 && Marshal.GetLastPInvokeError() == AbiConstants.ESRCH;

    /// <summary>The tree of a process that is not our child: one that an earlier daemon started.</summary>
    public static ProcessTree Of(ProcessIdentity root, string marker, Cgroup? cgroup = null) => new(root, null, marker, cgroup);

    /// <summary>
    /// Every living process, of any tree, that was started with this environment entry and that we may look into; found
    /// also after its root and the daemon that started it are gone.
    /// </summary>
    /// <exception cref="IOException">The process table cannot be read, usually because descriptors are short.</exception>
    public static IReadOnlyList<ProcessIdentity> FindByMarker(string marker)
    {
        var entry = EncodeMarker(marker);
        var found = new List<ProcessIdentity>();
        var execs = new ExecWait();
        foreach (var process in ProcessTable.Snapshot())
        {
            if (!TreeSweep.MayBeSignalled(process))
                continue;
            // A kernel thread, which has neither group nor arguments nor environment, executes nothing.
            if (process.Group != 0)
                execs.For(process.Pid);
            if (ProcessEnvironment.Has(process.Pid, entry))
                found.Add(process.Identity);
        }
        return found;
    }

    /// <summary>Every living process of the tree, the root among them.</summary>
    /// <param name="look">The look to find them in, shared with other trees; null reads the process table for this one.</param>
    /// <exception cref="IOException">
    /// The process table cannot be read, usually because descriptors are short: the tree may be alive, so ask again later.
    /// </exception>
    public IReadOnlyList<ProcessIdentity> Members(ProcessLook? look = null)
    {
        var members = new TreeSweep(look ?? ProcessLook.Take(), _root, _child, _marker, _cgroup).Run(_members);
        _members = [.. members];
        // Without /proc the process table is empty, but our own child is known.
        if (members.Count == 0 && _child is { IsReaped: false } && !ProcessTable.TryRead(_child.Pid, out _))
            members.Add(_child.Identity);
        return members;
    }

    /// <summary>Whether its processes are told by its cgroup, without a look at the process table.</summary>
    public bool IsToldByCgroup => _cgroup is not null;

    /// <summary>
    /// The memory that its processes hold now, in bytes: first what is resident in each, which is cheap and counts shared pages several times; where
    /// that is more than <paramref name="limit"/>, each process's own share.
    /// </summary>
    /// <param name="limit">Up to here nobody needs to know exactly.</param>
    /// <param name="look">As for <see cref="Members"/>; not needed where <see cref="IsToldByCgroup"/>.</param>
    /// <exception cref="IOException">It cannot be told now, usually because descriptors are short.</exception>
    public long MemoryHeld(long limit, ProcessLook? look)
    {
        // A sweep of its own: that of the tree's end remembers its members, and must not be overtaken by this one.
        IReadOnlyCollection<int> pids = _cgroup is not null
            ? _cgroup.Processes()
            : [.. new TreeSweep(look ?? ProcessLook.Take(), _root, _child, _marker, _cgroup).Run(_members).Select(member => member.Pid)];
        var resident = pids.Sum(ProcessMemory.Resident);
        return resident <= limit ? resident : pids.Sum(ProcessMemory.Share);
    }

    /// <summary>How many are left: 0 only where no process was found and the cgroup, if there is one, says that nothing lives in it.</summary>
    /// <param name="look">As for <see cref="Members"/>.</param>
    /// <exception cref="IOException">It cannot be told now: the tree may be alive, so ask again later.</exception>
    public int CountLeft(ProcessLook? look = null) => Left(Members(look));

    /// <summary>
    /// Signals every member, each once (with SIGKILL the cgroup and the root's group first, each in one go). A member is signalled only while
    /// its pid is proven to be still its own. Processes can be born during the sweep: to end a tree, repeat until 0.
    /// </summary>
    /// <param name="signal">Its number.</param>
    /// <param name="look">As for <see cref="Members"/>.</param>
    /// <returns>How many were alive; 0 means that nothing is left.</returns>
    /// <exception cref="IOException">
    /// The process table cannot be read; SIGKILL has reached the cgroup and the root's group all the same. Ask again later.
    /// </exception>
    public int Signal(int signal, ProcessLook? look = null)
    {
        // Count before the signal: processes that it ends at once are gone from the process table afterwards.
        IReadOnlyList<ProcessIdentity> members;
        try
        {
            members = Members(look);
        }
        finally
        {
            if (signal == AbiConstants.SIGKILL)
            {
                _cgroup?.Kill();
                _ = _child?.SignalGroup(signal);
            }
        }
        var left = Left(members);
        var reached = _child is not null && !HostPlatform.UsesLinuxAbi ? SignalThroughReaper(_child, signal) : [];
        foreach (var member in members)
        {
            if (_child is not null && member.Pid == _child.Pid)
                _ = SignalRoot(_child, signal);
            else if (!reached.Contains(member.Pid))
                _ = ProcessSignal.Send(member, signal);
        }
        return left;
    }

    // Just forked and not in the table yet, or invisible there.
    private int Left(IReadOnlyList<ProcessIdentity> members) => members.Count == 0 && _cgroup is { IsPopulated: true } ? 1 : members.Count;

    // The root lives and has no start time, so there is no /proc to find the others; its group stands for the tree.
    private static bool SignalRoot(ChildProcess root, int signal) =>
        root.Identity.StartTime == 0 ? root.SignalGroup(signal) : root.Signal(signal);

    /// <summary>
    /// Whether processes of the tree are left. Cheap in the usual case, in which the root has ended without orphans: those would be our children
    /// by now, so our children are checked instead of the process table.
    /// </summary>
    /// <exception cref="IOException">The process table cannot be read: there may be some, so ask again later.</exception>
    public bool HasStrays()
    {
        ChildProcesses.Current?.Reap();
        if (_cgroup is { IsPopulated: true })
            return true;
        if (_child is null)
            return Members().Count > 0;
        if (!_child.IsReaped)
            return true;
        if (!HostPlatform.UsesLinuxAbi)
            return FreeBsdProcesses.ReaperSubtree(_child.Pid).Count > 0;
        return !(_child.Owner.IsReaper && ChildList.AreAllKnown(_child.Owner)) && Members().Count > 0;
    }

    // Without the root, which is signalled once, as our child.
    private static HashSet<int> SignalThroughReaper(ChildProcess child, int signal)
    {
        if (signal != AbiConstants.SIGKILL)
            return [];
        var reached = new HashSet<int>(FreeBsdProcesses.ReaperSubtree(child.Pid));
        FreeBsdProcesses.SignalSubtree(child.Pid, signal);
        return reached;
    }

    private static byte[] EncodeMarker(string marker)
    {
        ArgumentNullException.ThrowIfNull(marker);
        // An empty value would match every process with that variable.
        var equals = marker.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || equals == marker.Length - 1 || marker.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"a marker is NAME=value, not '{marker}'", nameof(marker));
        return Encoding.UTF8.GetBytes(marker);
    }
}

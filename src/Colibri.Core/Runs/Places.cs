using Colibri.Core.Agents.Confinement;

namespace Colibri.Core.Runs;

/// <summary>
/// The directories in which runs are under way, so that no two runs are in one. Kept in memory: before a daemon serves clients, the runs of an earlier
/// one have ended or are held back by <c>LeftoverReconciler</c>.
/// </summary>
public sealed class Places
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PlaceHolder> _holders = new(StringComparer.Ordinal);

    /// <summary>A directory became free. Must not block.</summary>
    public event Action? Freed;

    /// <summary>Takes a directory for a run.</summary>
    /// <param name="directory">Absolute. Symbolic links are followed, because two names of one directory are one place.</param>
    /// <param name="holder">The task whose run it is.</param>
    /// <returns>Who is in it, if that is another; null where it is taken now.</returns>
    public PlaceHolder? Take(string directory, PlaceHolder holder)
    {
        var place = Of(directory);
        lock (_gate)
        {
            if (_holders.TryGetValue(place, out var known))
                return known.TaskId == holder.TaskId ? null : known;
            _holders.Add(place, holder);
            return null;
        }
    }

    /// <summary>Gives back all that a task has.</summary>
    public void Leave(string taskId)
    {
        var isFreed = false;
        lock (_gate)
        {
            foreach (var place in _holders.Where(pair => pair.Value.TaskId == taskId).Select(pair => pair.Key).ToList())
                isFreed |= _holders.Remove(place);
        }
        if (isFreed)
            Freed?.Invoke();
    }

    /// <summary>Who is in a directory; null where nobody is.</summary>
    public PlaceHolder? HolderOf(string directory)
    {
        var place = Of(directory);
        lock (_gate)
            return _holders.GetValueOrDefault(place);
    }

    /// <summary>Whether a run of a task is in a directory.</summary>
    public bool Holds(long number)
    {
        lock (_gate)
            return _holders.Values.Any(holder => holder.Number == number);
    }

    /// <summary>The name of a directory without symbolic links; one that is not there has its name alone.</summary>
    public static string Of(string directory) => JailRoot.RealPath(directory) ?? System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(directory));
}

/// <summary>The task whose run is in a directory.</summary>
public sealed record PlaceHolder(string TaskId, long Number);

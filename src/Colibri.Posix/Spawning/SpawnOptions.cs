using System.Runtime.InteropServices;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Trees;

namespace Colibri.Posix.Spawning;

/// <summary>What to start and with what. Strings are passed as UTF-8 and may hold no NUL.</summary>
public sealed record SpawnOptions
{
    /// <summary>Absolute path of the executable; it is argv[0] too. PATH is not searched.</summary>
    public required string Path { get; init; }

    /// <summary>The arguments after argv[0].</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment; nothing is inherited.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Where the child starts; null: where this process is.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>
    /// Where the child is put as soon as it runs, with the children it has by then, or null. Not atomic: what loses its parent in those
    /// first milliseconds stays outside, and only the sweep of <see cref="ProcessTree"/> finds it
    /// (<see cref="Cgroup.PlacementError"/> where the child could not be put there).
    /// </summary>
    public Cgroup? Cgroup { get; init; }

    /// <summary>The child's descriptor 0; null is /dev/null. The caller keeps the handle and disposes it.</summary>
    public SafeHandle? StandardInput { get; init; }

    /// <summary>The child's descriptor 1; null is /dev/null. The caller keeps the handle and disposes it.</summary>
    public SafeHandle? StandardOutput { get; init; }

    /// <summary>The child's descriptor 2; null is /dev/null. The caller keeps the handle and disposes it.</summary>
    public SafeHandle? StandardError { get; init; }
}

/// <summary>A process could not be started. The message is one line that names the file or directory and the reason.</summary>
public sealed class SpawnException(string message, int errno) : IOException(message)
{
    /// <summary>The system's error number; <see cref="Posix.Errno"/> describes it.</summary>
    public int Errno { get; } = errno;
}

using System.Runtime.InteropServices;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Trees;

namespace Colibri.Posix.Spawning;

/// <summary>The program to start, its arguments and its surroundings. Strings are passed as UTF-8 and may hold no NUL; an environment is bytes.</summary>
public sealed record SpawnOptions
{
    /// <summary>Absolute path of the executable; it is argv[0] too. PATH is not searched.</summary>
    public required string Path { get; init; }

    /// <summary>The arguments after argv[0].</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment; nothing is inherited.</summary>
    public required EnvironmentBlock Environment { get; init; }

    /// <summary>Where the child starts; null: where this process is.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>
    /// The cgroup that the child is put into as soon as it runs, with the children it has by then; null for none. The child is not born there:
    /// posix_spawn knows no CLONE_INTO_CGROUP before glibc 2.39. A descendant that loses its parent in those first milliseconds stays outside,
    /// and only the sweep of <see cref="ProcessTree"/> finds it; <see cref="PlacedStart"/> leaves no such milliseconds.
    /// <see cref="Cgroup.PlacementError"/> says why a child could not be put there.
    /// </summary>
    public Cgroup? Cgroup { get; init; }

    /// <summary>The child's descriptor 0; null is /dev/null. The caller keeps the handle and disposes it.</summary>
    public SafeHandle? StandardInput { get; init; }

    /// <summary>The child's descriptor 1; null is /dev/null. The caller keeps the handle and disposes it.</summary>
    public SafeHandle? StandardOutput { get; init; }

    /// <summary>The child's descriptor 2; null is /dev/null. The caller keeps the handle and disposes it.</summary>
    public SafeHandle? StandardError { get; init; }

    /// <summary>The child's descriptor 3 (<see cref="PlacedExec.ControlDescriptor"/>); null leaves it closed. The caller keeps the handle and disposes it.</summary>
    internal SafeHandle? Control { get; init; }
}

/// <summary>A process could not be started. The message is one line that names the file or directory and the reason.</summary>
public sealed class SpawnException(string message, int errno) : IOException(message)
{
    /// <summary>The system's error number; <see cref="Posix.Errno"/> describes it.</summary>
    public int Errno { get; } = errno;
}

using Colibri.Posix.Host;

namespace Colibri.Posix.Spawning;

/// <summary>A process could not be started. The message is one line that names the file or directory and the reason.</summary>
public sealed class SpawnException(string message, int errno) : IOException(message)
{
    /// <summary>The system's error number; <see cref="Posix.Errno"/> describes it.</summary>
    public int Errno { get; } = errno;
}

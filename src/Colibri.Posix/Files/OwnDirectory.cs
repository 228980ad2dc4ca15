using Colibri.Posix.Host;

namespace Colibri.Posix.Files;

/// <summary>Whether a directory is of this process's user, and nobody else may write in it.</summary>
public static class OwnDirectory
{
    // S_IWGRP and S_IWOTH, <sys/stat.h>: the same on Linux and FreeBSD.
    private const uint OthersMayWrite = 0x12;

    /// <summary>A regular file of a directory, read without following a link; null where there is none.</summary>
    /// <exception cref="IOException">It is a link, no regular file, longer than the limit, or cannot be read.</exception>
    public static byte[]? Read(string directory, string file, int maxBytes)
    {
        using var opened = RootedDirectory.OpenRoot(directory);
        return opened.Read(file, maxBytes);
    }

    /// <summary>False also where it is not there, or cannot be looked at.</summary>
    public static bool Is(string path)
    {
        try
        {
            using var directory = RootedDirectory.OpenRoot(path);
            var owner = directory.Owner;
            return owner.Uid == ProcessUser.EffectiveUid && (owner.Mode & OthersMayWrite) == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

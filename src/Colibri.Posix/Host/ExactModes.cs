namespace Colibri.Posix.Host;

/// <summary>
/// Creates directories and files with an exact mode, whatever the umask. The daemon inherits its umask from the process that starts it and
/// passes it on to the agents, so it does not change it.
/// </summary>
public static class ExactModes
{
    /// <summary>Makes a directory and those above it that are missing, all with this mode. One that is there is left as it is.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static void CreateDirectory(string path, UnixFileMode mode)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            return;
        if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path)) is { Length: > 0 } above)
            CreateDirectory(above, mode);
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }

    /// <summary>Opens a file as <paramref name="options"/> say; one that was not there before has this mode.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, for want of permission.</exception>
    public static FileStream OpenFile(string path, FileStreamOptions options, UnixFileMode mode)
    {
        ArgumentNullException.ThrowIfNull(options);
        var isNew = !File.Exists(path);
        options.UnixCreateMode = mode;
        var stream = new FileStream(path, options);
        try
        {
            if (isNew)
                File.SetUnixFileMode(stream.SafeFileHandle, mode);
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }
}

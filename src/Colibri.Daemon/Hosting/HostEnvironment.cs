using System.Collections;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>The process environment and what the configuration asks of the file system.</summary>
internal static class HostEnvironment
{
    public static IReadOnlyDictionary<string, string> Variables()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return variables;
    }

    /// <summary>Changes to the root directory if the daemon's working directory no longer exists, because no agent could be started there.</summary>
    public static void LeaveMissingWorkingDirectory(ILogger logger)
    {
        if (!WorkingDirectory.Find())
            logger.WorkingDirectoryGone(WorkingDirectory.Current);
    }

    /// <summary>Makes the directory where it is missing.</summary>
    /// <exception cref="ConfigurationException">It cannot be made or not be written to.</exception>
    public static void RequireWritableDirectory(string path, string variable)
    {
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
        try
        {
            ExactModes.CreateDirectory(path, Mode);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"directory {path} cannot be made: {e.Message} (set {variable}?)");
        }
        if (!IsWritableDirectory(path))
            throw new ConfigurationException($"directory {path} is not writable by this user (set {variable}?)");
    }

    /// <summary>Found out by a write, because modes, groups, read-only mounts and access lists all decide.</summary>
    public static bool IsWritableDirectory(string path)
    {
        if (!Directory.Exists(path))
            return false;
        var probe = Path.Combine(path, $".colibri-probe-{Environment.ProcessId}");
        try
        {
            using (File.Create(probe, 1, FileOptions.DeleteOnClose))
            {
            }
            return true;
        }
        catch (IOException e) when (Errno.IsWantOfRoom(e))
        {
            // A full disk does not make the directory unwritable.
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

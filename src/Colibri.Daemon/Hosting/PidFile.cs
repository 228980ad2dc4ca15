using System.Globalization;
using Colibri.Core.Configuration;

namespace Colibri.Daemon.Hosting;

/// <summary>The process id in a file, for a supervisor or an rc.d script; gone when the daemon is.</summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;

    private PidFile(string path) => _path = path;

    /// <exception cref="ConfigurationException">The file cannot be written.</exception>
    public static PidFile? Write(string? path)
    {
        if (path is null)
            return null;
        try
        {
            File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new PidFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"pidfile {path} cannot be written: {e.Message}");
        }
    }

    public void Dispose()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its directory is gone or was taken away: there is no pidfile left behind.
        }
    }
}

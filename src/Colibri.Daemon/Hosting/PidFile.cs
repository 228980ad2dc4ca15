using System.Globalization;
using System.Text;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>The process id in a file, for a supervisor or an rc.d script; removed at the daemon's end.</summary>
internal sealed class PidFile : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly string _path;

    private PidFile(string path) => _path = path;

    /// <exception cref="ConfigurationException">The file cannot be written.</exception>
    public static PidFile? Write(string? path, ILogger logger)
    {
        if (path is null)
            return null;
        try
        {
            using var file = ExactModes.OpenFile(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write }, Mode);
            file.Write(Encoding.ASCII.GetBytes(InitProcess.ServicePid.ToString(CultureInfo.InvariantCulture) + "\n"));
            return new PidFile(path);
        }
        catch (IOException e) when (Errno.IsWantOfRoom(e))
        {
            // A full disk must not keep the daemon from starting. The empty pidfile is removed, because it would mislead.
            logger.PidFileNotWritten(path, e.Message);
            new PidFile(path).Dispose();
            return null;
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
            // The directory is gone or inaccessible, so no pidfile can be removed.
        }
    }
}

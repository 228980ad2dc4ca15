using System.Globalization;
using System.Text;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// The process id in a file, for a supervisor or an rc.d script; removed at the daemon's end. The file is held open, so that it is known by its inode, and
/// no other file is removed in its place.
/// </summary>
internal sealed class PidFile : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly byte[] Text = Encoding.ASCII.GetBytes(InitProcess.ServicePid.ToString(CultureInfo.InvariantCulture) + "\n");

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly ILogger _logger;
    private FileStream _file;
    private bool _isDisposed;

    private PidFile(string path, FileStream file, ILogger logger) => (_path, _file, _logger) = (path, file, logger);

    /// <exception cref="ConfigurationException">The file cannot be written.</exception>
    public static PidFile? Write(string? path, ILogger logger)
    {
        if (path is null)
            return null;
        FileStream? file = null;
        try
        {
            file = Make(path, FileMode.Create);
            RandomAccess.Write(file.SafeFileHandle, Text, 0);
            return new PidFile(path, file, logger);
        }
        catch (IOException e) when (Errno.IsWantOfRoom(e))
        {
            // A full disk must not keep the daemon from starting. The empty pidfile is removed, because it would mislead.
            logger.PidFileNotWritten(path, e.Message);
            if (file is not null)
                RemoveName(path, file);
            file?.Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new ConfigurationException($"pidfile {path} cannot be written: {e.Message}");
        }
    }

    /// <summary>Writes it anew where it is gone; what is in its place otherwise is told. Called by one thread at a time.</summary>
    public StatusFile? Look()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return null;
            var look = FileLook.AtName(_path);
            if (look.Identity is not null && FileIdentity.Of(_path) == FileIdentity.Of(_file.SafeFileHandle))
                return IsOurs(_file) ? null : Trouble(StatusFile.Taken, $"another program has written to the pidfile {_path}: it names another process");
            if (look.Identity is not null)
                return Trouble(StatusFile.Replaced, $"{look.Kind} was put in the place of the pidfile {_path}: remove it, then it is written anew");
            if (!look.IsMissing)
                return Trouble(StatusFile.Gone, $"the pidfile {_path} cannot be looked at: {look.Problem}");
            try
            {
                // Not over a file that is made at this moment: it is another program's.
                var again = Make(_path, FileMode.CreateNew);
                RandomAccess.Write(again.SafeFileHandle, Text, 0);
                _file.Dispose();
                _file = again;
                _logger.PidFileMadeAnew(_path);
                return null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Trouble(StatusFile.Gone, $"the pidfile {_path} is gone and cannot be written anew: {e.Message.ReplaceLineEndings(" ")}");
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            if (IsOurs(_file))
                RemoveName(_path, _file);
            _file.Dispose();
        }
    }

    private StatusFile Trouble(string state, string reason) => new("pidfile", _path, state, reason);

    private static FileStream Make(string path, FileMode mode) => ExactModes.OpenFile(
        path, new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete }, Mode);

    // Another daemon that was given the same path writes to the same file.
    private static bool IsOurs(FileStream file)
    {
        try
        {
            Span<byte> there = stackalloc byte[Text.Length + 1];
            return there[..RandomAccess.Read(file.SafeFileHandle, there, 0)].SequenceEqual(Text);
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static void RemoveName(string path, FileStream file)
    {
        try
        {
            if (FileIdentity.Of(path) == FileIdentity.Of(file.SafeFileHandle))
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is gone or inaccessible, so no pidfile can be removed.
        }
    }
}

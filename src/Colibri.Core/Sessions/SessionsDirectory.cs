using Colibri.Core.Logging;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions;

/// <summary>The directory of all sessions, looked at while the daemon runs. It is known by device and inode.</summary>
internal sealed class SessionsDirectory(string root, SessionHealth health, TimeProvider time, ILogger logger)
{
    private const int ProbeBytes = 4 * 1024;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    private static readonly TimeSpan ProbePause = TimeSpan.FromSeconds(2);

    // A session is written again within this, if anybody writes to it.
    private static readonly TimeSpan Lately = TimeSpan.FromSeconds(10);

    private DirectoryAnchor? _anchor;
    private bool _wasLink;
    private long? _probedAt;

    /// <summary>Makes it anew where it is gone; what is in its place otherwise is told. Called by one thread at a time.</summary>
    public IReadOnlyList<StatusFile> Look()
    {
        if (_anchor is null)
            (_anchor, _wasLink) = (DirectoryAnchor.TryOpen(root), FileLook.AtName(root).IsLink);
        var name = FileLook.AtName(root);
        var look = name.IsLink ? FileLook.At(root) : name;
        if (look.Identity is null && look.IsMissing && !name.IsLink)
            return MakeAnew();
        if (name.IsLink && !_wasLink)
            return [Trouble(StatusFile.Replaced, $"a symbolic link was put in the place of {root}: put the directory back, or restart the daemon to use what the link names")];
        if (!look.IsDirectory)
            return [Trouble(look.Identity is null ? StatusFile.Gone : StatusFile.Replaced, look.Identity is null ? $"{root} cannot be looked at: {look.Problem}" : $"{look.Kind} is where the sessions directory {root} belongs: move it away")];
        if (look.Identity != _anchor?.Identity)
        {
            if (_anchor is not null)
                logger.SessionsDirectoryRenewed(root, "replaced by another directory");
            Anchor();
        }
        if (!FileLook.IsWritable(root, out var problem))
            return [Trouble(StatusFile.ReadOnly, $"nothing can be written to {root}: {problem}; check its owner, its mode and its mount")];
        return health.Trouble is { } trouble && !IsOver() ? [Trouble(StatusFile.Refused, trouble)] : [];
    }

    private StatusFile Trouble(string state, string reason) => new("sessions", root, state, reason);

    private IReadOnlyList<StatusFile> MakeAnew()
    {
        try
        {
            ExactModes.CreateDirectory(root, Mode);
            logger.SessionsDirectoryRenewed(root, "removed");
            Anchor();
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [Trouble(StatusFile.Gone, $"the sessions directory {root} is gone and cannot be made anew: {e.Message.ReplaceLineEndings(" ")}")];
        }
    }

    private void Anchor()
    {
        _anchor?.Dispose();
        (_anchor, _wasLink) = (DirectoryAnchor.TryOpen(root), FileLook.AtName(root).IsLink);
    }

    // Nobody may write to the session again that was refused, so the directory itself is tried.
    private bool IsOver()
    {
        if (_probedAt is { } at && time.GetElapsedTime(at) < ProbePause)
            return false;
        _probedAt = time.GetTimestamp();
        try
        {
            using (var probe = File.Create(Path.Combine(root, $".colibri-probe-{Environment.ProcessId}"), 1, FileOptions.DeleteOnClose))
                RandomAccess.Write(probe.SafeFileHandle, new byte[ProbeBytes], 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        health.ForgetOlderThan(Lately);
        return health.Trouble is null;
    }
}

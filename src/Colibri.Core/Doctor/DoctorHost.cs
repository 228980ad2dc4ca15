using System.Globalization;
using Colibri.Posix.Host;
using Colibri.Protocol;

namespace Colibri.Core.Doctor;

/// <summary>What the checks ask of the host, as values, so that every host can be described on any.</summary>
public sealed record DoctorHost
{
    public OperatingSystemKind Kind { get; init; } = HostPlatform.Kind;

    /// <summary>The user whom the daemon acts as.</summary>
    public uint Uid { get; init; } = ProcessUser.EffectiveUid;

    /// <summary>That user's name; its number where it has none.</summary>
    public string UserName { get; init; } = Environment.UserName is { Length: > 0 } name ? name : ProcessUser.EffectiveUid.ToString(CultureInfo.InvariantCulture);

    /// <summary>The sockets of a daemon that runs as a service: the unit's, and the same by another name.</summary>
    public IReadOnlyList<string> ServiceSockets { get; init; } = [SocketPaths.Service, "/run/colibri/colibri.sock"];

    /// <summary>Names the cgroup of this process.</summary>
    public string OwnCgroupFile { get; init; } = "/proc/self/cgroup";

    /// <summary>A file for each user whose services outlive the last login, as loginctl(1) makes them.</summary>
    public string LingerDirectory { get; init; } = "/var/lib/systemd/linger";

    /// <summary>Names of groups.</summary>
    public string GroupFile { get; init; } = "/etc/group";

    /// <summary>Names of users.</summary>
    public string PasswordFile { get; init; } = "/etc/passwd";

    public string TemporaryDirectory { get; init; } = Path.GetTempPath();

    /// <summary>Free bytes and all bytes of a directory's file system; null where it cannot be told.</summary>
    public Func<string, (long Free, long Total)?> Room { get; init; } = RoomOf;

    /// <summary>The limits of open files as they are.</summary>
    public Func<(long Soft, long Hard)> OpenFiles { get; init; } = static () => ResourceLimits.RaiseOpenFiles(1);

    /// <summary>Whether a daemon of that socket runs as a service, and not as the user who asks.</summary>
    public bool IsService(string socket) => ServiceSockets.Contains(socket, StringComparer.Ordinal);

    /// <summary>A command as an operator types it so that the daemon's user runs it, with the home directory that the daemon has.</summary>
    /// <param name="socket">The daemon's.</param>
    /// <param name="home">The daemon's HOME; null where it has none.</param>
    /// <param name="command">What that user is to run.</param>
    public string AsUser(string socket, string? home, string command)
    {
        if (!IsService(socket))
            return command;
        var user = Uid == 0 ? "" : char.IsAsciiDigit(UserName[0]) ? $" -u '#{UserName}'" : $" -u {UserName}";
        return home is null ? $"sudo{user} {command}" : $"sudo{user} env HOME={ShellWord(home)} {command}";
    }

    /// <summary>A text as a shell reads it as one word.</summary>
    public static string ShellWord(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "/._-+@:,=".Contains(c, StringComparison.Ordinal))
            ? text
            : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
    }

    private static (long Free, long Total)? RoomOf(string directory)
    {
        try
        {
            var drive = new DriveInfo(directory);
            return (drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Whether a path is a program that this process can execute, and if not, why.</summary>
public static unsafe class ProgramFile
{
    private const uint AnyExecute = 0x49;
    private const uint PermissionBits = 0xFFF;

    /// <summary>
    /// A regular file, links followed, that this user may execute. False for all else, and for whatever stat(2) cannot look at: a dangling
    /// link, a link loop, a directory without permission, a name that is too long. Never throws.
    /// </summary>
    public static bool IsExecutable(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) || !FileOwner.TryOf(path, out var file, out _))
            return false;
        // access(2) as root may say yes to a file without any x bit, which execve(2) then refuses.
        return (file.Mode & AbiConstants.S_IFMT) == AbiConstants.S_IFREG && (file.Mode & AnyExecute) != 0 && Access(path, AbiConstants.X_OK) == 0;
    }

    /// <summary>
    /// Why something that is there cannot be executed, and what to type, as the end of a sentence: "it is not executable (mode 644): chmod +x /opt/a".
    /// Null where nothing is there, and where it can be executed as far as this tells. Never throws.
    /// </summary>
    public static string? WhyNot(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            return null;
        if (!FileOwner.TryOf(path, out var file, out var errno))
            return errno == AbiConstants.EACCES ? Closed(path) : null;
        var kind = file.Mode & AbiConstants.S_IFMT;
        if (kind == AbiConstants.S_IFDIR)
            return "it is a directory";
        if (kind != AbiConstants.S_IFREG)
            return "it is no regular file";
        if ((file.Mode & AnyExecute) == 0)
            return $"it is not executable (mode {Octal(file.Mode)}): chmod +x {path}";
        if (Access(path, AbiConstants.X_OK) == 0)
            return null;
        return NoExecMount(path) is { } mount
            ? $"it lies below {mount}, which is mounted noexec: put it elsewhere, or mount -o remount,exec {mount}"
            : string.Create(CultureInfo.InvariantCulture,
                $"uid {ProcessUser.EffectiveUid} may not execute it (mode {Octal(file.Mode)}, owner {file.Uid}:{file.Gid}): chmod a+rx {path}");
    }

    /// <summary>Whether it is a regular file, or may be one that this user cannot look at: worth a start that says why it failed.</summary>
    public static bool MayBeProgram(string path) =>
        FileOwner.TryOf(path, out var file, out var errno) ? (file.Mode & AbiConstants.S_IFMT) == AbiConstants.S_IFREG : errno == AbiConstants.EACCES;

    /// <summary>The highest directory on the way to a file that is mounted noexec without a break; null where the file's is not.</summary>
    internal static string? NoExecMount(string path)
    {
        if (!IsNoExec(path))
            return null;
        string? highest = null;
        for (var directory = Path.GetDirectoryName(path); directory is not null && IsNoExec(directory); directory = Path.GetDirectoryName(directory))
            highest = directory;
        // A link from elsewhere leads there.
        return highest ?? path;
    }

    private static bool IsNoExec(string path)
    {
        var abi = AbiConstants.Current;
        // Longer than either struct, which a system may have extended.
        var buffer = stackalloc byte[4096];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return Libc.statfs(name, buffer) == 0
                && (BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(buffer + abi.OffsetOfFFlags, sizeof(ulong))) & (uint)abi.NoExec) != 0;
        }
    }

    // The first directory on the way that may not be entered.
    private static string? Closed(string path)
    {
        for (var end = path.IndexOf('/', 1); end > 0; end = path.IndexOf('/', end + 1))
        {
            var directory = path[..end];
            if (FileOwner.TryOf(directory, out var owner, out _) && Access(directory, AbiConstants.X_OK) != 0)
            {
                return string.Create(CultureInfo.InvariantCulture,
                    $"uid {ProcessUser.EffectiveUid} may not enter {directory} (mode {Octal(owner.Mode)}, owner {owner.Uid}:{owner.Gid}): chmod a+x {directory}");
            }
        }
        return null;
    }

    private static int Access(string path, int mode)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            return Libc.access(name, mode) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private static string Octal(uint mode) => Convert.ToString(mode & PermissionBits, 8);
}

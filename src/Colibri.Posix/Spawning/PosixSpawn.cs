using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>
/// One call of posix_spawn(3): in a process group of its own, with default signal dispositions, an empty signal mask and
/// no descriptor beyond 0, 1 and 2, and 3 where a control descriptor is given.
/// </summary>
internal static unsafe class PosixSpawn
{
    // The larger of glibc's structs; FreeBSD stores a pointer in the first 8 bytes.
    private const int SpawnAttrBytes = 336;
    private const int FileActionsBytes = 80;
    private const int SigsetBytes = 128;

    /// <summary>0, or the error number.</summary>
    public static int Start(out int pid, string path, string? directory, NativeStrings argv, NativeStrings envp, StandardStreams streams)
    {
        var attributes = stackalloc byte[SpawnAttrBytes];
        var actions = stackalloc byte[FileActionsBytes];
        pid = -1;
        var error = Libc.posix_spawnattr_init(attributes);
        if (error != 0)
            return error;
        try
        {
            error = Libc.posix_spawn_file_actions_init(actions);
            if (error != 0)
                return error;
            try
            {
                error = SetAttributes(attributes);
                if (error == 0)
                    error = AddActions(actions, directory, streams);
                if (error != 0)
                    return error;
                int started;
                fixed (byte* executable = CString(path))
                    error = Libc.posix_spawn(&started, executable, actions, attributes, argv.Pointer, envp.Pointer);
                if (error == 0)
                    pid = started;
                return error;
            }
            finally
            {
                _ = Libc.posix_spawn_file_actions_destroy(actions);
            }
        }
        finally
        {
            _ = Libc.posix_spawnattr_destroy(attributes);
        }
    }

    private static int SetAttributes(byte* attributes)
    {
        var abi = AbiConstants.Current;
        var signals = stackalloc byte[SigsetBytes];

        // .NET ignores SIGPIPE and /etc/rc ignores SIGHUP: a child would inherit both.
        // Not sigfillset: it leaves out glibc's own 32 and 33, and posix_spawn then leaves those ignored in the child.
        new Span<byte>(signals, abi.SizeOfSigset).Fill(0xff);
        // The disposition of these two cannot be set; a system may answer EINVAL.
        _ = Libc.sigdelset(signals, AbiConstants.SIGKILL);
        _ = Libc.sigdelset(signals, abi.SIGSTOP);
        var error = Libc.posix_spawnattr_setsigdefault(attributes, signals);
        if (error != 0)
            return error;

        _ = Libc.sigemptyset(signals);
        error = Libc.posix_spawnattr_setsigmask(attributes, signals);
        if (error != 0)
            return error;

        error = Libc.posix_spawnattr_setpgroup(attributes, 0);
        if (error != 0)
            return error;
        return Libc.posix_spawnattr_setflags(
            attributes,
            (short)(abi.POSIX_SPAWN_SETPGROUP | abi.POSIX_SPAWN_SETSIGDEF | abi.POSIX_SPAWN_SETSIGMASK));
    }

    private static int AddActions(byte* actions, string? directory, StandardStreams streams)
    {
        var error = 0;
        if (directory is not null)
        {
            fixed (byte* path = CString(directory))
                error = Libc.posix_spawn_file_actions_addchdir_np(actions, path);
        }
        for (var target = 0; target < streams.Count && error == 0; target++)
            error = Libc.posix_spawn_file_actions_adddup2(actions, streams[target], target);
        return error == 0 ? Libc.posix_spawn_file_actions_addclosefrom_np(actions, streams.Count) : error;
    }

    internal static byte[] CString(string text)
    {
        var bytes = new byte[NativeStrings.Utf8.GetByteCount(text) + 1];
        NativeStrings.Utf8.GetBytes(text, bytes);
        return bytes;
    }
}

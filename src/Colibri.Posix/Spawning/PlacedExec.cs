using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;
using Colibri.Posix.Signalling;

namespace Colibri.Posix.Spawning;

/// <summary>
/// The process's side of <see cref="PlacedStart"/>: waits on descriptor 3 until it is told what to become, which its parent says once it is in its
/// cgroup, and executes that. Nothing but the cgroup differs from a process that posix_spawn(3) started: pid, group, directory, descriptors, signals
/// and environment are the same. If the parent dies first, the descriptor ends, and nothing is ever executed.
/// </summary>
public static unsafe class PlacedExec
{
    /// <summary>The first argument that makes a program this trampoline.</summary>
    public const string Verb = "--placed-exec";

    /// <summary>The descriptor of the socket to the parent; closed by the exec.</summary>
    public const int ControlDescriptor = 3;

    /// <summary>Exit code where nothing was executed, as a shell's. The parent is told why.</summary>
    public const int NotExecuted = 126;

    /// <summary>Returns an exit code only where nothing was executed.</summary>
    public static int Run()
    {
        // The exec must close it, and so tell the parent of its success. Anything else is no socket of a parent's.
        if (Libc.fcntl(ControlDescriptor, AbiConstants.F_SETFD, AbiConstants.FD_CLOEXEC) != 0)
            return NotExecuted;
        Span<byte> header = stackalloc byte[StartMessage.HeaderBytes];
        if (!ReadFully(header))
            return NotExecuted;
        var body = new byte[StartMessage.BodyBytes(header)];
        if (!ReadFully(body))
            return NotExecuted;
        var (path, directory, argv, envp) = StartMessage.Parts(header, body);
        using var arguments = new NativeStrings(argv);
        using var environment = new NativeStrings(envp);
        fixed (byte* program = path)
        fixed (byte* place = directory)
        {
            if (!directory.IsEmpty && Libc.chdir(place) != 0)
                return Tell(Marshal.GetLastPInvokeError());
            SignalSetup.DefaultBeforeExec();
            Libc.closefrom(ControlDescriptor + 1);
            // Said before: afterwards there is nobody left to say it. The end of the stream alone could be this process's death, so what cannot be
            // said is not done: the daemon would take it for a start that failed, and make another.
            if (!TryTell(0))
                return NotExecuted;
            _ = Libc.execve(program, arguments.Pointer, environment.Pointer);
            return Tell(Marshal.GetLastPInvokeError());
        }
    }

    private static bool ReadFully(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            nint got;
            fixed (byte* start = buffer)
                got = Libc.read(ControlDescriptor, start, (nuint)buffer.Length);
            if (got > 0)
                buffer = buffer[(int)got..];
            else if (got == 0 || Marshal.GetLastPInvokeError() != AbiConstants.EINTR)
                return false;
        }
        return true;
    }

    private static int Tell(int errno)
    {
        _ = TryTell(errno);
        return NotExecuted;
    }

    private static bool TryTell(int errno)
    {
        var word = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(word, sizeof(int)), errno);
        return Libc.send(ControlDescriptor, word, sizeof(int), AbiConstants.Current.MSG_NOSIGNAL) == sizeof(int);
    }
}

/// <summary>
/// What the process is to become, on the socket: four lengths, then path, directory, arguments and environment, every string with its NUL. It goes
/// there and not on a command line, which everybody may read and which would count against the limits of the exec.
/// </summary>
internal static class StartMessage
{
    /// <summary>Four little-endian lengths.</summary>
    public const int HeaderBytes = 4 * sizeof(int);

    public static byte[] Write(SpawnOptions options)
    {
        byte[] path = PosixSpawn.CString(options.Path);
        byte[] directory = options.WorkingDirectory is null ? [] : PosixSpawn.CString(options.WorkingDirectory);
        using var arguments = new MemoryStream();
        foreach (var word in (string[])[options.Path, .. options.Arguments])
            arguments.Write(PosixSpawn.CString(word));
        byte[][] parts = [path, directory, arguments.ToArray(), options.Environment.ToTerminated()];
        var message = new byte[HeaderBytes + parts.Sum(part => part.Length)];
        var next = HeaderBytes;
        for (var i = 0; i < parts.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(i * sizeof(int)), parts[i].Length);
            parts[i].CopyTo(message, next);
            next += parts[i].Length;
        }
        return message;
    }

    public static int BodyBytes(ReadOnlySpan<byte> header)
    {
        var sum = 0;
        for (var i = 0; i < HeaderBytes; i += sizeof(int))
            sum = checked(sum + BinaryPrimitives.ReadInt32LittleEndian(header[i..]));
        return sum;
    }

    public static StartParts Parts(ReadOnlySpan<byte> header, ReadOnlySpan<byte> body)
    {
        var path = BinaryPrimitives.ReadInt32LittleEndian(header);
        var directory = path + BinaryPrimitives.ReadInt32LittleEndian(header[sizeof(int)..]);
        var arguments = directory + BinaryPrimitives.ReadInt32LittleEndian(header[(2 * sizeof(int))..]);
        return new StartParts(body[..path], body[path..directory], body[directory..arguments], body[arguments..]);
    }
}

/// <summary>The parts of a message, every string with its NUL; an empty directory is where the process is.</summary>
internal readonly ref struct StartParts(ReadOnlySpan<byte> path, ReadOnlySpan<byte> directory, ReadOnlySpan<byte> arguments, ReadOnlySpan<byte> environment)
{
    private readonly ReadOnlySpan<byte> _path = path;
    private readonly ReadOnlySpan<byte> _directory = directory;
    private readonly ReadOnlySpan<byte> _arguments = arguments;
    private readonly ReadOnlySpan<byte> _environment = environment;

    public void Deconstruct(out ReadOnlySpan<byte> path, out ReadOnlySpan<byte> directory, out ReadOnlySpan<byte> arguments, out ReadOnlySpan<byte> environment)
    {
        path = _path;
        directory = _directory;
        arguments = _arguments;
        environment = _environment;
    }
}

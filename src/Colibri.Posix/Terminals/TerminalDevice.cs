using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Signalling;

namespace Colibri.Posix.Terminals;

/// <summary>
/// The terminal behind standard input and output: its size, keys as they are typed, and its modes, which are put back. The keys for signals stay
/// the terminal's: it sends them to the whole foreground group, as a script around the program expects.
/// </summary>
public sealed unsafe class TerminalDevice
{
    public const int Input = 0;
    public const int Output = 1;

    /// <summary>The answer of <see cref="Read"/> where nothing came in time.</summary>
    public const int NothingYet = -1;

    // The larger of the two layouts serves both.
    private const int TermiosBytes = 60;
    private const int SigactionBytes = 152;
    private readonly byte[] _before = new byte[TermiosBytes];
    private readonly Lock _turn = new();
    private bool _isRaw;

    /// <summary>Whether a terminal is behind the descriptor.</summary>
    public static bool IsTerminal(int descriptor)
    {
        var modes = stackalloc byte[TermiosBytes];
        return Libc.tcgetattr(descriptor, modes) == 0;
    }

    /// <summary>Columns and rows; null where the terminal does not know.</summary>
    public static (int Columns, int Rows)? Size()
    {
        WindowSize size;
        return Libc.ioctl(Output, AbiConstants.Current.TIOCGWINSZ, &size) == 0 && size is { ws_col: > 0, ws_row: > 0 } ? (size.ws_col, size.ws_row) : null;
    }

    /// <summary>From now on each key is read as it is typed, and none is echoed.</summary>
    /// <exception cref="IOException">Standard input is no terminal, or the terminal is gone.</exception>
    public void EnterRaw()
    {
        lock (_turn)
        {
            if (_isRaw)
                return;
            fixed (byte* before = _before)
            {
                if (Libc.tcgetattr(Input, before) != 0)
                    throw new IOException($"standard input is no terminal: {Errno.Describe(Marshal.GetLastPInvokeError())}");
            }
            var raw = (byte[])_before.Clone();
            MakeRaw(raw, AbiConstants.Current);
            Set(raw);
            _isRaw = true;
        }
    }

    /// <summary>The modes are as they were. It may be called at any time, from any thread.</summary>
    public void Restore()
    {
        lock (_turn)
        {
            if (_isRaw)
                Set(_before);
            _isRaw = false;
        }
    }

    /// <summary>Reads what is there, or waits for it.</summary>
    /// <param name="bytes">Where to.</param>
    /// <param name="timeoutMs">How long to wait; -1 for as long as it takes.</param>
    /// <returns>The number of bytes, 0 at the end of the input, <see cref="NothingYet"/> if nothing came in time.</returns>
    public static int Read(Span<byte> bytes, int timeoutMs)
    {
        while (true)
        {
            var ready = new PollFd { fd = Input, events = PollFd.POLLIN };
            var count = Libc.poll(&ready, 1, timeoutMs);
            if (count == 0)
                return NothingYet;
            if (count > 0)
            {
                nint read;
                fixed (byte* start = bytes)
                    read = Libc.read(Input, start, (nuint)bytes.Length);
                if (read >= 0)
                    return (int)read;
            }
            var error = Marshal.GetLastPInvokeError();
            if (error == AbiConstants.EINTR || error == AbiConstants.Current.EAGAIN)
                continue;
            // EIO: the terminal is gone.
            return 0;
        }
    }

    /// <summary>
    /// Stops this process as Ctrl-Z does by default, and returns once it goes on. Without a shell that could let it go on the kernel ignores the
    /// signal, which is why it is not SIGSTOP.
    /// </summary>
    public static void Stop()
    {
        var signal = AbiConstants.Current.SIGTSTP;
        var handler = stackalloc byte[SigactionBytes];
        if (Libc.sigaction(signal, null, handler) != 0)
            return;
        _ = Libc.signal(signal, AbiConstants.SIG_DFL);
        SignalSetup.Unblock(signal);
        _ = Libc.raise(signal);
        _ = Libc.sigaction(signal, handler, null);
    }

    internal static void MakeRaw(Span<byte> modes, AbiConstants abi)
    {
        // Enter stays a carriage return, and Ctrl-S is no pause.
        Clear(modes[AbiConstants.OffsetOfCIflag..], AbiConstants.ICRNL | abi.IXON);
        Clear(modes[AbiConstants.OffsetOfCLflag..], abi.ICANON | AbiConstants.ECHO | abi.IEXTEN);
        modes[abi.OffsetOfCCc + abi.VMIN] = 1;
        modes[abi.OffsetOfCCc + abi.VTIME] = 0;
    }

    private static void Clear(Span<byte> word, uint flags) =>
        BinaryPrimitives.WriteUInt32LittleEndian(word, BinaryPrimitives.ReadUInt32LittleEndian(word) & ~flags);

    private static void Set(byte[] modes)
    {
        fixed (byte* start = modes)
        {
            // A process in the background is stopped by SIGTTOU here, and goes on in the foreground.
            while (Libc.tcsetattr(Input, AbiConstants.TCSANOW, start) != 0)
            {
                if (Marshal.GetLastPInvokeError() != AbiConstants.EINTR)
                    return;
            }
        }
    }
}

using System.Buffers.Binary;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Signalling;

/// <summary>Resets inherited signal dispositions and masks. Call it first in Main, before any PosixSignalRegistration.</summary>
public static unsafe class SignalSetup
{
    // The larger of the two layouts serves both.
    private const int SigsetBytes = 128;
    private const int SigactionBytes = 152;
    // Real-time signals begin above, on Linux and FreeBSD (<signal.h>); no parent is known to leave those ignored for its children.
    private const int LastStandardSignal = 31;

    /// <summary>
    /// SIGCHLD, SIGTERM, and SIGHUP unless <paramref name="keepHangup"/>, go back to their default where they are inherited
    /// as ignored; the calling thread's signal mask is cleared. Everything that /etc/rc starts inherits SIGHUP ignored, and
    /// .NET respects an inherited SIG_IGN: a registered handler would never run.
    /// </summary>
    public static void ResetInherited(bool keepHangup = false)
    {
        DefaultIfIgnored(Signals.Chld);
        // With SIGTERM ignored the daemon could only be killed.
        DefaultIfIgnored(Signals.Term);
        if (!keepHangup)
            DefaultIfIgnored(Signals.Hup);
        UnblockAll();
    }

    /// <summary>
    /// Every signal goes back to its default and none is blocked: an ignored one stays ignored over an exec. The runtime ignores SIGPIPE, and a
    /// shell ignores SIGINT and SIGQUIT for what it starts in the background.
    /// The runtime's handlers need no reset: an exec does that.
    /// </summary>
    internal static void DefaultBeforeExec()
    {
        for (var signal = 1; signal <= LastStandardSignal; signal++)
            DefaultIfIgnored(signal);
        UnblockAll();
    }

    private static void UnblockAll()
    {
        var none = stackalloc byte[SigsetBytes];
        _ = Libc.sigemptyset(none);
        _ = Libc.pthread_sigmask(AbiConstants.Current.SIG_SETMASK, none, null);
    }

    // Only an ignored signal is touched: the runtime's own handlers must stay.
    internal static void DefaultIfIgnored(int signal)
    {
        var action = stackalloc byte[SigactionBytes];
        if (Libc.sigaction(signal, null, action) != 0)
            return;
        // sa_handler is the first member on both systems.
        if (BinaryPrimitives.ReadInt64LittleEndian(new ReadOnlySpan<byte>(action, 8)) == AbiConstants.SIG_IGN)
            _ = Libc.signal(signal, AbiConstants.SIG_DFL);
    }

    internal static void Unblock(int signal)
    {
        var set = stackalloc byte[SigsetBytes];
        _ = Libc.sigemptyset(set);
        _ = Libc.sigaddset(set, signal);
        _ = Libc.pthread_sigmask(AbiConstants.Current.SIG_UNBLOCK, set, null);
    }
}

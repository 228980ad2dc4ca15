using System.Globalization;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;

namespace Colibri.Posix.Signalling;

/// <summary>Signal numbers of the running system (<c>signal.h</c>) and their names.</summary>
public static class Signals
{
    public static int Hup => AbiConstants.SIGHUP;
    public static int Int => 2;
    public static int Quit => 3;
    public static int Abrt => 6;
    public static int Kill => AbiConstants.SIGKILL;
    public static int Segv => 11;
    public static int Pipe => 13;
    public static int Alrm => 14;
    public static int Term => AbiConstants.SIGTERM;
    public static int Usr1 => AbiConstants.Current.SIGUSR1;
    public static int Usr2 => AbiConstants.Current.SIGUSR2;
    public static int Chld => AbiConstants.Current.SIGCHLD;
    public static int Stop => AbiConstants.Current.SIGSTOP;
    public static int Tstp => AbiConstants.Current.SIGTSTP;
    public static int Cont => AbiConstants.Current.SIGCONT;

    /// <summary>The C name, such as "SIGKILL"; "signal 40" for a number without one (real-time signals).</summary>
    public static string Name(int signal) => Name(signal, AbiConstants.Current);

    /// <summary>Whether it ends a process that has not chosen otherwise. Of signals without a name here it is not said.</summary>
    public static bool EndsByDefault(int signal) => EndsByDefault(signal, AbiConstants.Current);

    // signal(7) of Linux, signal(3) of FreeBSD: all others are ignored, stop the process or let it go on. SIGIO ends a process on Linux alone.
    internal static bool EndsByDefault(int signal, AbiConstants abi) => signal switch
    {
        1 or 2 or 3 or 4 or 5 or 6 or 8 or 9 or 11 or 13 or 14 or 15 or 24 or 25 or 26 or 27 => true,
        _ => signal == abi.SIGBUS || signal == abi.SIGSYS || signal == abi.SIGUSR1 || signal == abi.SIGUSR2,
    };

    /// <summary>Whether a process is sent it for a fault of its own, and so may have said why.</summary>
    public static bool IsOwnFault(int signal) =>
        signal is 4 or 5 or 6 or 8 or 11 || signal == AbiConstants.Current.SIGBUS || signal == AbiConstants.Current.SIGSYS;

    internal static string Name(int signal, AbiConstants abi) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        21 => "SIGTTIN",
        22 => "SIGTTOU",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        26 => "SIGVTALRM",
        27 => "SIGPROF",
        28 => "SIGWINCH",
        _ when signal == abi.SIGBUS => "SIGBUS",
        _ when signal == abi.SIGSYS => "SIGSYS",
        _ when signal == abi.SIGURG => "SIGURG",
        _ when signal == abi.SIGSTOP => "SIGSTOP",
        _ when signal == abi.SIGTSTP => "SIGTSTP",
        _ when signal == abi.SIGCONT => "SIGCONT",
        _ when signal == abi.SIGCHLD => "SIGCHLD",
        _ when signal == abi.SIGIO => "SIGIO",
        _ when signal == abi.SIGUSR1 => "SIGUSR1",
        _ when signal == abi.SIGUSR2 => "SIGUSR2",
        _ => string.Create(CultureInfo.InvariantCulture, $"signal {signal}"),
    };
}

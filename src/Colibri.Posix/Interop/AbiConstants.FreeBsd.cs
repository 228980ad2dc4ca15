namespace Colibri.Posix.Interop;

internal sealed partial record AbiConstants
{
    /// <summary>FreeBSD 15 on amd64.</summary>
    public static AbiConstants FreeBsd => field ??= new()
    {
        POSIX_SPAWN_SETPGROUP = 0x02,
        POSIX_SPAWN_SETSIGDEF = 0x10,
        POSIX_SPAWN_SETSIGMASK = 0x20,
        SizeOfPosixSpawnAttr = 8,
        SizeOfPosixSpawnFileActions = 8,
        SizeOfSigset = 16,
        SizeOfSigaction = 32,
        SIG_UNBLOCK = 2,
        SIG_SETMASK = 3,
        SIGBUS = 10,
        SIGSYS = 12,
        SIGURG = 16,
        SIGSTOP = 17,
        SIGTSTP = 18,
        SIGCONT = 19,
        SIGCHLD = 20,
        SIGIO = 23,
        SIGUSR1 = 30,
        SIGUSR2 = 31,
        O_CLOEXEC = 0x100000,
        F_DUPFD_CLOEXEC = 17,
        O_NONBLOCK = 4,
        O_CREAT = 0x200,
        O_EXCL = 0x800,
        O_NOFOLLOW = 0x100,
        O_DIRECTORY = 0x20000,
        AT_REMOVEDIR = 0x800,
        AT_SYMLINK_NOFOLLOW = 0x200,
        OffsetOfDName = 24,
        F_SETLK = 12,
        F_WRLCK = 3,
        OffsetOfLType = 20,
        OffsetOfLStart = 0,
        OffsetOfLLen = 8,
        SOCK_CLOEXEC = 0x10000000,
        SOL_SOCKET = 0xffff,
        MSG_NOSIGNAL = 0x20000,
        EAGAIN = 35,
        ELOOP = 62,
        ENAMETOOLONG = 63,
        ENOSYS = 78,
        RLIMIT_NOFILE = 8,
        SizeOfSockaddrUn = 106,
        SizeOfStat = 224,
        SizeOfModeT = 2,
        OffsetOfStMode = 24,
        OffsetOfStUid = 28,
        OffsetOfStGid = 32,
        OffsetOfStSize = 112,
        OffsetOfStMtim = 64,
        OffsetOfStCtim = 80,
        SizeOfStatfs = 2344,
        OffsetOfFFlags = 8,
        OffsetOfFBsize = 16,
        OffsetOfFFrsize = 16,
        OffsetOfFBlocks = 32,
        OffsetOfFBavail = 48,
        NoExec = 4,
        SizeOfTermios = 44,
        OffsetOfCCc = 16,
        VMIN = 16,
        VTIME = 17,
        ICANON = 0x100,
        IEXTEN = 0x400,
        IXON = 0x200,
        TIOCGWINSZ = 0x40087468,
        EM_SELF = 62,
    };

    // <sys/un.h>, <sys/ucred.h>: struct xucred
    public const int SOL_LOCAL = 0;
    public const int LOCAL_PEERCRED = 1;
    public const int SizeOfXucred = 88;
    public const int OffsetOfXucredUid = 4;
    public const int OffsetOfXucredNgroups = 8;
    public const int OffsetOfXucredGroups = 12;
    public const int OffsetOfXucredPid = 80;

    // <sys/wait.h>: idtype_t
    public const int P_PID = 0;

    // <sys/procctl.h>
    public const int PROC_REAP_ACQUIRE = 2;
    public const int PROC_REAP_GETPIDS = 5;
    public const int PROC_REAP_KILL = 6;
    public const int REAPER_KILL_SUBTREE = 2;
    public const int REAPER_PIDINFO_VALID = 1;
    public const int REAPER_PIDINFO_ZOMBIE = 8;

    // <sys/jail.h>: flags of jail_set and jail_get, and what a parameter such as ip4 can be
    public const int JAIL_CREATE = 0x01;
    public const int JAIL_ATTACH = 0x04;
    public const int JAIL_SYS_DISABLE = 0;
    public const int JAIL_SYS_NEW = 1;
    public const int JAIL_SYS_INHERIT = 2;

    // <jail.h>: JAIL_ERRMSGLEN of libjail, which the kernel fills no further either
    public const int JAIL_ERRMSGLEN = 256;

    // <sys/syslimits.h>: PATH_MAX, also MAXPATHLEN of <sys/param.h>
    public const int PATH_MAX = 1024;

    // <sys/sysctl.h>
    public const int CTL_KERN = 1;
    public const int KERN_PROC = 14;
    public const int KERN_BOOTTIME = 21;
    public const int KERN_PROC_PID = 1;
    public const int KERN_PROC_PROC = 8;
    public const int KERN_PROC_ENV = 35;

    // <sys/event.h>
    public const short EVFILT_READ = -1;
    public const short EVFILT_WRITE = -2;
    public const ushort EV_ADD = 0x0001;
    public const ushort EV_ONESHOT = 0x0010;
    public const ushort EV_CLEAR = 0x0020;
    public const ushort EV_EOF = 0x8000;

    // <sys/user.h>: struct kinfo_proc, whose size the kernel keeps fixed (KINFO_PROC_SIZE)
    public const int KINFO_PROC_SIZE = 1088;
    public const int OffsetOfKiPid = 72;
    public const int OffsetOfKiPpid = 76;
    public const int OffsetOfKiPgid = 80;
    public const int OffsetOfKiSid = 88;
    public const int OffsetOfKiRssize = 264;
    public const int OffsetOfKiStart = 336;
    public const int OffsetOfKiStat = 388;
    public const int OffsetOfKiComm = 447;
    public const int COMMLEN = 19;

    // <sys/proc.h>: ki_stat of a zombie
    public const int SZOMB = 5;
}

using System.Runtime.InteropServices;

namespace Colibri.Posix.Interop;

internal sealed partial record AbiConstants
{
    /// <summary>glibc on x86-64; also what a Linux executable sees under FreeBSD's linux64.</summary>
    public static AbiConstants Linux => field ??= new()
    {
        POSIX_SPAWN_SETPGROUP = 0x02,
        POSIX_SPAWN_SETSIGDEF = 0x04,
        POSIX_SPAWN_SETSIGMASK = 0x08,
        SizeOfPosixSpawnAttr = 336,
        SizeOfPosixSpawnFileActions = 80,
        SizeOfSigset = 128,
        SizeOfSigaction = 152,
        SIG_UNBLOCK = 1,
        SIG_SETMASK = 2,
        SIGBUS = 7,
        SIGSYS = 31,
        SIGURG = 23,
        SIGSTOP = 19,
        SIGTSTP = 20,
        SIGCONT = 18,
        SIGCHLD = 17,
        SIGIO = 29,
        SIGUSR1 = 10,
        SIGUSR2 = 12,
        O_CLOEXEC = 0x80000,
        F_DUPFD_CLOEXEC = 1030,
        O_NONBLOCK = 0x800,
        O_CREAT = 0x40,
        O_EXCL = 0x80,
        O_NOFOLLOW = 0x20000,
        O_DIRECTORY = 0x10000,
        AT_REMOVEDIR = 0x200,
        AT_SYMLINK_NOFOLLOW = 0x100,
        OffsetOfDName = 19,
        F_SETLK = 6,
        F_WRLCK = 1,
        OffsetOfLType = 0,
        OffsetOfLStart = 8,
        OffsetOfLLen = 16,
        SOCK_CLOEXEC = 0x80000,
        SOL_SOCKET = 1,
        MSG_NOSIGNAL = 0x4000,
        EAGAIN = 11,
        ELOOP = 40,
        ENAMETOOLONG = 36,
        ENOSYS = 38,
        RLIMIT_NOFILE = 7,
        SizeOfSockaddrUn = 110,
        SizeOfStat = 144,
        SizeOfModeT = 4,
        OffsetOfStMode = 24,
        OffsetOfStUid = 28,
        OffsetOfStGid = 32,
        OffsetOfStSize = 48,
        OffsetOfStMtim = 88,
        OffsetOfStCtim = 104,
        SizeOfStatfs = 120,
        OffsetOfFFlags = 80,
        OffsetOfFBsize = 8,
        OffsetOfFFrsize = 72,
        OffsetOfFBlocks = 16,
        OffsetOfFBavail = 32,
        NoExec = 8,
        SizeOfTermios = 60,
        OffsetOfCCc = 17,
        VMIN = 6,
        VTIME = 5,
        ICANON = 0x2,
        IEXTEN = 0x8000,
        IXON = 0x400,
        TIOCGWINSZ = 0x5413,
        EM_SELF = 62,
    };

    /// <summary>glibc on aarch64: what differs from x86-64.</summary>
    public static AbiConstants LinuxArm64 => field ??= Linux with
    {
        // <asm/fcntl.h>. With the O_NOFOLLOW of x86-64, which means O_LARGEFILE here, a symbolic link would be followed.
        O_DIRECTORY = 0x4000,
        O_NOFOLLOW = 0x8000,
        // <bits/struct_stat.h>. The layout depends on the architecture. statx(2) would avoid that, but FreeBSD's linux64 need not have it.
        SizeOfStat = 128,
        OffsetOfStMode = 16,
        OffsetOfStUid = 24,
        OffsetOfStGid = 28,
        EM_SELF = 183,
    };

    /// <summary>The column of one architecture.</summary>
    /// <exception cref="PlatformNotSupportedException">Neither x86-64 nor aarch64: nothing here was read from its headers.</exception>
    public static AbiConstants LinuxOn(Architecture architecture) => architecture switch
    {
        Architecture.X64 => Linux,
        Architecture.Arm64 => LinuxArm64,
        _ => throw new PlatformNotSupportedException($"Colibri runs on Linux on x86-64 and aarch64, not on {architecture}"),
    };

    // <fcntl.h>: a lock that belongs to the open file description
    public const int F_OFD_SETLK = 37;

    // <sys/utsname.h>: six names of 65 bytes each, version the fourth.
    public const int SizeOfUtsname = 390;
    public const int OffsetOfUtsVersion = 195;

    // <sys/prctl.h>
    public const int PR_SET_CHILD_SUBREAPER = 36;

    // <sys/syscall.h>: prctl, getxattr, uname, fdatasync and the epoll calls are numbered by architecture, the pidfd calls are not.
    public const int SYS_prctl_x64 = 157;
    public const int SYS_prctl_arm64 = 167;
    public const int SYS_getxattr_x64 = 191;
    public const int SYS_getxattr_arm64 = 8;
    public const int SYS_uname_x64 = 63;
    public const int SYS_uname_arm64 = 160;
    public const int SYS_fdatasync_x64 = 75;
    public const int SYS_fdatasync_arm64 = 83;
    public const int SYS_pidfd_send_signal = 424;
    public const int SYS_pidfd_open = 434;

    public const int SYS_epoll_create1_x64 = 291;
    public const int SYS_epoll_create1_arm64 = 20;
    public const int SYS_epoll_ctl_x64 = 233;
    public const int SYS_epoll_ctl_arm64 = 21;
    public const int SYS_epoll_pwait_x64 = 281;
    public const int SYS_epoll_pwait_arm64 = 22;

    // <bits/epoll.h>: struct epoll_event is packed on x86-64 alone.
    public const int SizeOfEpollEvent_x64 = 12;
    public const int SizeOfEpollEvent_arm64 = 16;
    public const int OffsetOfEpollData_x64 = 4;
    public const int OffsetOfEpollData_arm64 = 8;

    // <sys/epoll.h>
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_MOD = 3;
    public const uint EPOLLIN = 0x001;
    public const uint EPOLLOUT = 0x004;
    public const uint EPOLLERR = 0x008;
    public const uint EPOLLHUP = 0x010;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLET = 0x8000_0000;

    // <asm/socket.h>
    public const int SO_PEERCRED = 17;
    public const int SO_PEERGROUPS = 59;

    // <bits/socket.h>: struct ucred
    public const int SizeOfUcred = 12;
    public const int OffsetOfUcredPid = 0;
    public const int OffsetOfUcredUid = 4;
    public const int OffsetOfUcredGid = 8;

    // <linux/binfmts.h>: MAX_ARG_STRLEN is 32 pages for one argument or environment string. Counted in the smallest page of both
    // architectures, 4 KiB: an aarch64 kernel with pages of 16 or 64 KiB takes longer ones.
    public const int MAX_ARG_STRLEN = 131072;
}

using System.Runtime.InteropServices;
using Colibri.Posix.Host;

namespace Colibri.Posix.Interop;

/// <summary>
/// The numbers that differ between glibc on x86-64 Linux, glibc on aarch64 Linux and FreeBSD 15 amd64, under their C names. Sources: the
/// headers named beside each; tests compare both Linux columns with the C compiler, and all columns with a recorded reading of the headers.
/// </summary>
internal sealed partial record AbiConstants
{
    // <spawn.h>
    public required int POSIX_SPAWN_SETPGROUP { get; init; }
    public required int POSIX_SPAWN_SETSIGDEF { get; init; }
    public required int POSIX_SPAWN_SETSIGMASK { get; init; }
    public required int SizeOfPosixSpawnAttr { get; init; }
    public required int SizeOfPosixSpawnFileActions { get; init; }

    // <signal.h>
    public required int SizeOfSigset { get; init; }
    public required int SizeOfSigaction { get; init; }
    public required int SIG_UNBLOCK { get; init; }
    public required int SIG_SETMASK { get; init; }
    public required int SIGBUS { get; init; }
    public required int SIGSYS { get; init; }
    public required int SIGURG { get; init; }
    public required int SIGSTOP { get; init; }
    public required int SIGTSTP { get; init; }
    public required int SIGCONT { get; init; }
    public required int SIGCHLD { get; init; }
    public required int SIGIO { get; init; }
    public required int SIGUSR1 { get; init; }
    public required int SIGUSR2 { get; init; }

    // <fcntl.h>
    public required int O_CLOEXEC { get; init; }
    public required int F_DUPFD_CLOEXEC { get; init; }
    public required int O_NONBLOCK { get; init; }
    public required int O_CREAT { get; init; }
    public required int O_EXCL { get; init; }
    public required int O_NOFOLLOW { get; init; }
    public required int O_DIRECTORY { get; init; }
    public required int AT_REMOVEDIR { get; init; }
    public required int AT_SYMLINK_NOFOLLOW { get; init; }

    // <dirent.h>: struct dirent
    public required int OffsetOfDName { get; init; }

    // <fcntl.h>: locks of a file's bytes, and struct flock
    public required int F_SETLK { get; init; }
    public required int F_WRLCK { get; init; }
    public required int OffsetOfLType { get; init; }
    public required int OffsetOfLStart { get; init; }
    public required int OffsetOfLLen { get; init; }

    // <sys/socket.h>, <sys/un.h>
    public required int SOCK_CLOEXEC { get; init; }
    public required int SOL_SOCKET { get; init; }
    public required int MSG_NOSIGNAL { get; init; }

    // <errno.h>
    public required int EAGAIN { get; init; }
    public required int ELOOP { get; init; }
    public required int ENAMETOOLONG { get; init; }
    public required int ENOSYS { get; init; }

    // <sys/resource.h>
    public required int RLIMIT_NOFILE { get; init; }

    /// <summary>sys/resource.h: the same on both.</summary>
    public const int RLIMIT_CORE = 4;

    // <sys/un.h>: struct sockaddr_un, the path of which begins at OffsetOfSunPath on both
    public required int SizeOfSockaddrUn { get; init; }

    // <sys/stat.h>: struct stat; device and inode are at its start everywhere
    public required int SizeOfStat { get; init; }
    public required int SizeOfModeT { get; init; }
    public required int OffsetOfStMode { get; init; }
    public required int OffsetOfStUid { get; init; }
    public required int OffsetOfStGid { get; init; }
    public required int OffsetOfStSize { get; init; }
    public required int OffsetOfStMtim { get; init; }
    public required int OffsetOfStCtim { get; init; }

    // Linux: <sys/statfs.h>, <sys/statvfs.h> (ST_NOEXEC); FreeBSD: <sys/mount.h> (MNT_NOEXEC)
    public required int SizeOfStatfs { get; init; }
    public required int OffsetOfFFlags { get; init; }

    // The same structs. Blocks are counted in f_frsize on Linux, where it is not 0, else in f_bsize; FreeBSD has f_bsize alone.
    public required int OffsetOfFBsize { get; init; }
    public required int OffsetOfFFrsize { get; init; }
    public required int OffsetOfFBlocks { get; init; }
    public required int OffsetOfFBavail { get; init; }
    public required int NoExec { get; init; }

    // <termios.h>: struct termios, whose four words of flags are at its start in the same order on both
    public required int SizeOfTermios { get; init; }
    public required int OffsetOfCCc { get; init; }
    public required int VMIN { get; init; }
    public required int VTIME { get; init; }
    public required uint ICANON { get; init; }
    public required uint IEXTEN { get; init; }
    public required uint IXON { get; init; }

    // Linux: <asm/ioctls.h>; FreeBSD: <sys/ttycom.h>
    public required uint TIOCGWINSZ { get; init; }

    // <elf.h>, FreeBSD <sys/elf_common.h>: what this processor's programs have in e_machine
    public required int EM_SELF { get; init; }

    public static AbiConstants Current { get; } = HostPlatform.UsesLinuxAbi ? LinuxOn(RuntimeInformation.ProcessArchitecture) : FreeBsd!;

    // <signal.h>, the same on both
    public const int SIG_DFL = 0;
    public const int SIG_IGN = 1;
    public const int SIGHUP = 1;
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;

    // <termios.h>, the same on both
    public const int TCSANOW = 0;
    public const uint ECHO = 0x8;
    public const uint ICRNL = 0x100;
    public const int OffsetOfCIflag = 0;
    public const int OffsetOfCLflag = 12;

    // <sys/wait.h>, the same on both
    public const int WNOHANG = 1;

    // <fcntl.h>, <unistd.h>, the same on both
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_RDWR = 2;
    public const int AT_FDCWD = -100;
    public const int F_GETFD = 1;
    public const int F_SETFD = 2;
    public const int FD_CLOEXEC = 1;
    public const int F_GETFL = 3;
    public const int F_SETFL = 4;
    public const int SizeOfFlock = 32;
    public const int X_OK = 1;
    public const int W_OK = 2;

    // <sys/file.h>, the same on both
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;

    // <sys/socket.h>, the same on both
    public const int AF_UNIX = 1;
    public const int SOCK_STREAM = 1;
    public const int OffsetOfSunPath = 2;

    // <errno.h>, the same on both
    public const int ENOEXEC = 8;
    public const int ETXTBSY = 26;
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int E2BIG = 7;
    public const int ECHILD = 10;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int ENOTDIR = 20;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOSPC = 28;

    // <sys/stat.h>, the same on both
    public const uint S_IFMT = 0xF000;
    public const uint S_IFREG = 0x8000;
    public const uint S_IFDIR = 0x4000;
    public const int OffsetOfStDev = 0;
    public const int OffsetOfStIno = 8;
}

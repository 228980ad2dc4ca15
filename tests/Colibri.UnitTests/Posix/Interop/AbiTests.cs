using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Interop;

/// <summary>The numbers in the code against the C compiler of this machine and against abi.tsv, for both systems.</summary>
[NotInParallel]
public sealed class AbiTests
{
    private const string Headers = """
        #define _GNU_SOURCE
        #include <dirent.h>
        #include <elf.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <signal.h>
        #include <spawn.h>
        #include <stddef.h>
        #include <stdio.h>
        #include <sys/epoll.h>
        #include <sys/ioctl.h>
        #include <sys/file.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/statfs.h>
        #include <sys/statvfs.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <sys/un.h>
        #include <sys/utsname.h>
        #include <sys/wait.h>
        #include <termios.h>
        #include <unistd.h>

        """;

    [Test]
    [Arguments(Architecture.X64, "x86_64-linux-gnu-gcc")]
    [Arguments(Architecture.Arm64, "aarch64-linux-gnu-gcc")]
    public async Task The_Linux_numbers_are_what_the_compiler_says(Architecture architecture, string crossCompiler)
    {
        Skip.Unless(HostPlatform.Kind == OperatingSystemKind.Linux, "not Linux");
        var compiler = architecture == RuntimeInformation.ProcessArchitecture ? "cc" : crossCompiler;
        Skip.Unless(File.Exists($"/usr/bin/{compiler}"), $"no C compiler at /usr/bin/{compiler}");
        var directory = Directory.CreateTempSubdirectory("colibri-abi-");
        try
        {
            // Compiled and not run, so that the other architecture needs no emulator.
            var source = new StringBuilder(Headers);
            foreach (var (name, value) in LinuxNumbers(architecture).Concat(LinuxOnly(architecture)))
                source.Append(CultureInfo.InvariantCulture, $"_Static_assert((long long)({name}) == {value}, \"{name} is not {value}\");\n");
            File.WriteAllText(Path.Combine(directory.FullName, "abi.c"), source.ToString());

            var (exit, output) = await Shell.Run(Shell.Options($"{compiler} -c -o abi.o abi.c 2>&1") with { WorkingDirectory = directory.FullName });
            exit.ShouldBe(new ExitStatus(0, null), output);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Test]
    public void The_longest_argument_is_no_longer_than_this_kernel_takes() =>
        (32 * Environment.SystemPageSize).ShouldBeGreaterThanOrEqualTo(AbiConstants.MAX_ARG_STRLEN);

    [Test]
    [Arguments(Architecture.X64, 1)]
    [Arguments(Architecture.Arm64, 3)]
    public void The_Linux_numbers_are_the_recorded_ones(Architecture architecture, int column) => ShouldAgree(Recorded(column), LinuxNumbers(architecture));

    [Test]
    public void The_FreeBSD_numbers_are_the_recorded_ones() => ShouldAgree(Recorded(2), FreeBsdNumbers());

    [Test]
    public void Linux_on_another_architecture_is_refused() =>
        Should.Throw<PlatformNotSupportedException>(() => AbiConstants.LinuxOn(Architecture.RiscV64)).Message
            .ShouldBe("Colibri runs on Linux on x86-64 and aarch64, not on RiscV64");

    [Test]
    public void The_structs_of_the_FreeBSD_reaper_have_the_recorded_layout()
    {
        var recorded = Recorded(2);
        Unsafe.SizeOf<procctl_reaper_kill>().ShouldBe((int)recorded["sizeof(struct procctl_reaper_kill)"]);
        Unsafe.SizeOf<procctl_reaper_pidinfo>().ShouldBe((int)recorded["sizeof(struct procctl_reaper_pidinfo)"]);
        Unsafe.SizeOf<procctl_reaper_pids>().ShouldBe((int)recorded["sizeof(struct procctl_reaper_pids)"]);
        foreach (var field in new[] { "rk_sig", "rk_flags", "rk_subtree", "rk_killed", "rk_fpid" })
            ((long)Marshal.OffsetOf<procctl_reaper_kill>(field)).ShouldBe(recorded[$"offsetof(struct procctl_reaper_kill,{field})"]);
        ((long)Marshal.OffsetOf<procctl_reaper_pids>("rp_pids")).ShouldBe(recorded["offsetof(struct procctl_reaper_pids,rp_pids)"]);
    }

    [Test]
    public void Errors_are_named_by_the_number_of_the_system()
    {
        Errno.Describe(2).ShouldBe("No such file or directory (ENOENT)");
        Errno.Describe(111, linux: true).ShouldBe("Connection refused (ECONNREFUSED)");
        Errno.Describe(61, linux: false).ShouldBe("Connection refused (ECONNREFUSED)");
        Errno.Describe(4242).ShouldBe("errno 4242");
    }

    [Test]
    public void Signals_are_named_by_the_number_of_the_system()
    {
        Signals.Name(Signals.Kill).ShouldBe("SIGKILL");
        Signals.Name(Signals.Usr1).ShouldBe("SIGUSR1");
        Signals.Name(17, AbiConstants.Linux).ShouldBe("SIGCHLD");
        Signals.Name(17, AbiConstants.FreeBsd).ShouldBe("SIGSTOP");
        Signals.Name(30, AbiConstants.FreeBsd).ShouldBe("SIGUSR1");
        Signals.Name(40).ShouldBe("signal 40");
    }

    [Test]
    public void A_signal_that_is_ignored_or_stops_a_process_does_not_end_it()
    {
        foreach (var abi in new[] { AbiConstants.Linux, AbiConstants.FreeBsd })
        {
            int[] others = [abi.SIGCHLD, abi.SIGCONT, abi.SIGSTOP, abi.SIGTSTP, 21, 22, 28, abi.SIGURG, 40];
            others.Where(signal => Signals.EndsByDefault(signal, abi)).ShouldBeEmpty();
            int[] ending = [1, 2, 3, 6, 9, 11, 13, 14, 15, abi.SIGBUS, abi.SIGSYS, abi.SIGUSR1, abi.SIGUSR2];
            ending.Where(signal => !Signals.EndsByDefault(signal, abi)).ShouldBeEmpty();
        }
    }

    private static void ShouldAgree(Dictionary<string, long> recorded, IEnumerable<(string Name, long Value)> numbers)
    {
        var checkedNumbers = 0;
        foreach (var (name, value) in numbers)
        {
            if (!recorded.TryGetValue(name, out var expected))
                continue;
            value.ShouldBe(expected, name);
            checkedNumbers++;
        }
        checkedNumbers.ShouldBeGreaterThan(40);
    }

    private static Dictionary<string, long> Recorded(int column, [CallerFilePath] string thisFile = "") =>
        File.ReadLines(Path.Combine(Path.GetDirectoryName(thisFile)!, "abi.tsv"))
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split('\t'))
            .Where(cells => cells[column] != "-")
            .ToDictionary(cells => cells[0], cells => long.Parse(cells[column], CultureInfo.InvariantCulture));

    private static IEnumerable<(string Name, long Value)> LinuxNumbers(Architecture architecture) =>
        Common(AbiConstants.LinuxOn(architecture)).Concat(Errno.Table.Select(row => (row.Name, (long)row.Linux))).Concat(
        [
            ("SO_PEERCRED", AbiConstants.SO_PEERCRED),
            ("PR_SET_CHILD_SUBREAPER", AbiConstants.PR_SET_CHILD_SUBREAPER),
            ("sizeof(struct ucred)", AbiConstants.SizeOfUcred),
            ("offsetof(struct ucred,pid)", AbiConstants.OffsetOfUcredPid),
            ("offsetof(struct ucred,uid)", AbiConstants.OffsetOfUcredUid),
            ("offsetof(struct ucred,gid)", AbiConstants.OffsetOfUcredGid),
        ]);

    private static IEnumerable<(string Name, long Value)> LinuxOnly(Architecture architecture) =>
    [
        .. architecture == Architecture.X64 ? NumberedForX64() : NumberedForArm64(),
        ("SO_PEERGROUPS", AbiConstants.SO_PEERGROUPS),
        ("sizeof(struct utsname)", AbiConstants.SizeOfUtsname),
        ("offsetof(struct utsname,version)", AbiConstants.OffsetOfUtsVersion),
        ("EPOLL_CTL_ADD", AbiConstants.EPOLL_CTL_ADD),
        ("EPOLL_CTL_MOD", AbiConstants.EPOLL_CTL_MOD),
        ("EPOLL_CLOEXEC", AbiConstants.Linux.O_CLOEXEC),
        ("EPOLLIN", AbiConstants.EPOLLIN),
        ("EPOLLOUT", AbiConstants.EPOLLOUT),
        ("EPOLLERR", AbiConstants.EPOLLERR),
        ("EPOLLHUP", AbiConstants.EPOLLHUP),
        ("EPOLLRDHUP", AbiConstants.EPOLLRDHUP),
        ("(unsigned)EPOLLET", AbiConstants.EPOLLET),
        ("SYS_pidfd_open", AbiConstants.SYS_pidfd_open),
        ("SYS_pidfd_send_signal", AbiConstants.SYS_pidfd_send_signal),
        ("X_OK", AbiConstants.X_OK),
        ("W_OK", AbiConstants.W_OK),
        ("F_OFD_SETLK", AbiConstants.F_OFD_SETLK),
        ("O_WRONLY", AbiConstants.O_WRONLY),
        ("(long)SIG_DFL", AbiConstants.SIG_DFL),
        ("(long)SIG_IGN", AbiConstants.SIG_IGN),
        ("S_IFMT", AbiConstants.S_IFMT),
        ("S_IFREG", AbiConstants.S_IFREG),
        ("S_IFDIR", AbiConstants.S_IFDIR),
        ("F_SETFD", AbiConstants.F_SETFD),
        ("FD_CLOEXEC", AbiConstants.FD_CLOEXEC),
        ("ENOEXEC", AbiConstants.ENOEXEC),
        ("ETXTBSY", AbiConstants.ETXTBSY),
        ("sizeof(struct statfs)", AbiConstants.LinuxOn(architecture).SizeOfStatfs),
        ("offsetof(struct statfs,f_flags)", AbiConstants.LinuxOn(architecture).OffsetOfFFlags),
        ("offsetof(struct statfs,f_bsize)", AbiConstants.LinuxOn(architecture).OffsetOfFBsize),
        ("offsetof(struct statfs,f_frsize)", AbiConstants.LinuxOn(architecture).OffsetOfFFrsize),
        ("offsetof(struct statfs,f_blocks)", AbiConstants.LinuxOn(architecture).OffsetOfFBlocks),
        ("offsetof(struct statfs,f_bavail)", AbiConstants.LinuxOn(architecture).OffsetOfFBavail),
        ("ST_NOEXEC", AbiConstants.LinuxOn(architecture).NoExec),
        (architecture == Architecture.X64 ? "EM_X86_64" : "EM_AARCH64", AbiConstants.LinuxOn(architecture).EM_SELF),
    ];

    private static IEnumerable<(string Name, long Value)> NumberedForX64() =>
    [
        ("SYS_prctl", AbiConstants.SYS_prctl_x64),
        ("SYS_getxattr", AbiConstants.SYS_getxattr_x64),
        ("SYS_uname", AbiConstants.SYS_uname_x64),
        ("SYS_fdatasync", AbiConstants.SYS_fdatasync_x64),
        ("SYS_epoll_create1", AbiConstants.SYS_epoll_create1_x64),
        ("SYS_epoll_ctl", AbiConstants.SYS_epoll_ctl_x64),
        ("SYS_epoll_pwait", AbiConstants.SYS_epoll_pwait_x64),
        ("sizeof(struct epoll_event)", AbiConstants.SizeOfEpollEvent_x64),
        ("offsetof(struct epoll_event,data)", AbiConstants.OffsetOfEpollData_x64),
    ];

    private static IEnumerable<(string Name, long Value)> NumberedForArm64() =>
    [
        ("SYS_prctl", AbiConstants.SYS_prctl_arm64),
        ("SYS_getxattr", AbiConstants.SYS_getxattr_arm64),
        ("SYS_uname", AbiConstants.SYS_uname_arm64),
        ("SYS_fdatasync", AbiConstants.SYS_fdatasync_arm64),
        ("SYS_epoll_create1", AbiConstants.SYS_epoll_create1_arm64),
        ("SYS_epoll_ctl", AbiConstants.SYS_epoll_ctl_arm64),
        ("SYS_epoll_pwait", AbiConstants.SYS_epoll_pwait_arm64),
        ("sizeof(struct epoll_event)", AbiConstants.SizeOfEpollEvent_arm64),
        ("offsetof(struct epoll_event,data)", AbiConstants.OffsetOfEpollData_arm64),
    ];

    private static IEnumerable<(string Name, long Value)> FreeBsdNumbers() =>
        Common(AbiConstants.FreeBsd).Concat(Errno.Table.Select(row => (row.Name, (long)row.FreeBsd))).Concat(
        [
            ("P_PID", AbiConstants.P_PID),
            ("SOL_LOCAL", AbiConstants.SOL_LOCAL),
            ("LOCAL_PEERCRED", AbiConstants.LOCAL_PEERCRED),
            ("sizeof(struct xucred)", AbiConstants.SizeOfXucred),
            ("offsetof(struct xucred,cr_uid)", AbiConstants.OffsetOfXucredUid),
            ("offsetof(struct xucred,cr_ngroups)", AbiConstants.OffsetOfXucredNgroups),
            ("offsetof(struct xucred,cr_groups)", AbiConstants.OffsetOfXucredGroups),
            ("offsetof(struct xucred,cr_pid)", AbiConstants.OffsetOfXucredPid),
            ("PROC_REAP_ACQUIRE", AbiConstants.PROC_REAP_ACQUIRE),
            ("PROC_REAP_GETPIDS", AbiConstants.PROC_REAP_GETPIDS),
            ("PROC_REAP_KILL", AbiConstants.PROC_REAP_KILL),
            ("REAPER_KILL_SUBTREE", AbiConstants.REAPER_KILL_SUBTREE),
            ("JAIL_CREATE", AbiConstants.JAIL_CREATE),
            ("JAIL_ATTACH", AbiConstants.JAIL_ATTACH),
            ("PATH_MAX", AbiConstants.PATH_MAX),
        ]);

    private static IEnumerable<(string Name, long Value)> Common(AbiConstants abi) =>
    [
        ("POSIX_SPAWN_SETPGROUP", abi.POSIX_SPAWN_SETPGROUP),
        ("POSIX_SPAWN_SETSIGDEF", abi.POSIX_SPAWN_SETSIGDEF),
        ("POSIX_SPAWN_SETSIGMASK", abi.POSIX_SPAWN_SETSIGMASK),
        ("sizeof(posix_spawnattr_t)", abi.SizeOfPosixSpawnAttr),
        ("sizeof(posix_spawn_file_actions_t)", abi.SizeOfPosixSpawnFileActions),
        ("sizeof(sigset_t)", abi.SizeOfSigset),
        ("sizeof(struct sigaction)", abi.SizeOfSigaction),
        ("offsetof(struct sigaction,sa_handler)", 0),
        ("SIG_UNBLOCK", abi.SIG_UNBLOCK),
        ("SIG_SETMASK", abi.SIG_SETMASK),
        ("SIGHUP", AbiConstants.SIGHUP),
        ("SIGKILL", AbiConstants.SIGKILL),
        ("SIGINT", Signals.Int),
        ("SIGQUIT", Signals.Quit),
        ("SIGABRT", Signals.Abrt),
        ("SIGSEGV", Signals.Segv),
        ("SIGPIPE", Signals.Pipe),
        ("SIGALRM", Signals.Alrm),
        ("SIGTERM", Signals.Term),
        ("SIGBUS", abi.SIGBUS),
        ("SIGSYS", abi.SIGSYS),
        ("SIGURG", abi.SIGURG),
        ("SIGSTOP", abi.SIGSTOP),
        ("SIGTSTP", abi.SIGTSTP),
        ("SIGCONT", abi.SIGCONT),
        ("SIGCHLD", abi.SIGCHLD),
        ("SIGIO", abi.SIGIO),
        ("SIGUSR1", abi.SIGUSR1),
        ("SIGUSR2", abi.SIGUSR2),
        ("WNOHANG", AbiConstants.WNOHANG),
        ("O_RDONLY", AbiConstants.O_RDONLY),
        ("O_CLOEXEC", abi.O_CLOEXEC),
        ("F_DUPFD_CLOEXEC", abi.F_DUPFD_CLOEXEC),
        ("O_WRONLY", AbiConstants.O_WRONLY),
        ("O_NONBLOCK", abi.O_NONBLOCK),
        ("O_CREAT", abi.O_CREAT),
        ("O_EXCL", abi.O_EXCL),
        ("O_NOFOLLOW", abi.O_NOFOLLOW),
        ("O_DIRECTORY", abi.O_DIRECTORY),
        ("AT_FDCWD", AbiConstants.AT_FDCWD),
        ("AT_REMOVEDIR", abi.AT_REMOVEDIR),
        ("AT_SYMLINK_NOFOLLOW", abi.AT_SYMLINK_NOFOLLOW),
        ("offsetof(struct dirent,d_name)", abi.OffsetOfDName),
        ("F_SETLK", abi.F_SETLK),
        ("F_WRLCK", abi.F_WRLCK),
        ("offsetof(struct flock,l_type)", abi.OffsetOfLType),
        ("offsetof(struct flock,l_start)", abi.OffsetOfLStart),
        ("offsetof(struct flock,l_len)", abi.OffsetOfLLen),
        ("sizeof(struct flock)", AbiConstants.SizeOfFlock),
        ("LOCK_EX", AbiConstants.LOCK_EX),
        ("LOCK_NB", AbiConstants.LOCK_NB),
        ("sizeof(struct iovec)", Unsafe.SizeOf<IoVector>()),
        ("AF_UNIX", AbiConstants.AF_UNIX),
        ("SOCK_STREAM", AbiConstants.SOCK_STREAM),
        ("SOCK_CLOEXEC", abi.SOCK_CLOEXEC),
        ("SOL_SOCKET", abi.SOL_SOCKET),
        ("MSG_NOSIGNAL", abi.MSG_NOSIGNAL),
        ("F_GETFL", AbiConstants.F_GETFL),
        ("F_SETFL", AbiConstants.F_SETFL),
        ("EAGAIN", abi.EAGAIN),
        ("ELOOP", abi.ELOOP),
        ("ENAMETOOLONG", abi.ENAMETOOLONG),
        ("ENOSYS", abi.ENOSYS),
        ("RLIMIT_NOFILE", abi.RLIMIT_NOFILE),
        ("sizeof(struct rlimit)", Unsafe.SizeOf<ResourceLimit>()),
        ("sizeof(struct sockaddr_un)", abi.SizeOfSockaddrUn),
        ("offsetof(struct sockaddr_un,sun_path)", AbiConstants.OffsetOfSunPath),
        ("sizeof(struct stat)", abi.SizeOfStat),
        ("sizeof(mode_t)", abi.SizeOfModeT),
        ("offsetof(struct stat,st_size)", abi.OffsetOfStSize),
        ("offsetof(struct stat,st_mtim)", abi.OffsetOfStMtim),
        ("offsetof(struct stat,st_ctim)", abi.OffsetOfStCtim),
        ("offsetof(struct stat,st_dev)", AbiConstants.OffsetOfStDev),
        ("offsetof(struct stat,st_ino)", AbiConstants.OffsetOfStIno),
        ("offsetof(struct stat,st_mode)", abi.OffsetOfStMode),
        ("offsetof(struct stat,st_uid)", abi.OffsetOfStUid),
        ("offsetof(struct stat,st_gid)", abi.OffsetOfStGid),
        ("sizeof(struct termios)", abi.SizeOfTermios),
        ("offsetof(struct termios,c_iflag)", AbiConstants.OffsetOfCIflag),
        ("offsetof(struct termios,c_lflag)", AbiConstants.OffsetOfCLflag),
        ("offsetof(struct termios,c_cc)", abi.OffsetOfCCc),
        ("VMIN", abi.VMIN),
        ("VTIME", abi.VTIME),
        ("ICANON", abi.ICANON),
        ("IEXTEN", abi.IEXTEN),
        ("ECHO", AbiConstants.ECHO),
        ("ICRNL", AbiConstants.ICRNL),
        ("IXON", abi.IXON),
        ("TCSANOW", AbiConstants.TCSANOW),
        ("TIOCGWINSZ", abi.TIOCGWINSZ),
        ("sizeof(struct winsize)", Unsafe.SizeOf<WindowSize>()),
    ];
}

using System.Runtime.InteropServices;
using Colibri.Posix.Host;

namespace Colibri.Posix.Interop;

/// <summary>
/// The C functions both systems have, with blittable signatures only. Every symbol here must exist in glibc and in
/// FreeBSD's libc: a directly linked (DirectPInvoke) executable resolves them all at link time, used or not.
/// </summary>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    [LibraryImport(Library)]
    internal static partial int posix_spawn(int* pid, byte* path, void* file_actions, void* attr, byte** argv, byte** envp);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_init(void* attr);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_destroy(void* attr);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setflags(void* attr, short flags);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setpgroup(void* attr, int pgroup);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setsigdefault(void* attr, void* sigdefault);

    [LibraryImport(Library)]
    internal static partial int posix_spawnattr_setsigmask(void* attr, void* sigmask);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_init(void* file_actions);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_destroy(void* file_actions);

    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_adddup2(void* file_actions, int fildes, int newfildes);

    /// <summary>glibc 2.29, FreeBSD 13.1.</summary>
    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_addchdir_np(void* file_actions, byte* path);

    /// <summary>glibc 2.34, FreeBSD 13.1.</summary>
    [LibraryImport(Library)]
    internal static partial int posix_spawn_file_actions_addclosefrom_np(void* file_actions, int from);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int waitpid(int pid, int* status, int options);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kill(int pid, int sig);

    [LibraryImport(Library)]
    internal static partial int sigemptyset(void* set);

    [LibraryImport(Library)]
    internal static partial int sigaddset(void* set, int signum);

    [LibraryImport(Library)]
    internal static partial int sigdelset(void* set, int signum);

    [LibraryImport(Library)]
    internal static partial int pthread_sigmask(int how, void* set, void* oldset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sigaction(int signum, void* act, void* oldact);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint signal(int signum, nint handler);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int socketpair(int domain, int type, int protocol, int* sv);

    /// <summary>glibc 2.9, FreeBSD 10.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int pipe2(int* fildes, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint send(int fd, void* buf, nuint len, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fsync(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(int fd, int cmd, int arg);

    /// <summary>The same function with a <c>struct flock</c>.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(int fd, int cmd, void* arg);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int flock(int fd, int operation);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int open(byte* path, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint read(int fd, void* buf, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int tcgetattr(int fd, void* termios);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int tcsetattr(int fd, int actions, void* termios);

    /// <summary>The argument is a variadic pointer in C; both systems pass it as any other on what Colibri runs on.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request, void* argument);

    /// <summary>To the calling thread: a signal that is not blocked is acted on before it returns.</summary>
    [LibraryImport(Library)]
    internal static partial int raise(int signum);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int poll(PollFd* fds, nuint nfds, int timeout);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint write(int fd, void* buf, nuint count);

    [LibraryImport(Library)]
    internal static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int access(byte* path, int mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int stat(byte* path, void* statbuf);

    /// <summary>glibc 2.33, FreeBSD 1.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int lstat(byte* path, void* statbuf);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int chown(byte* path, uint owner, uint group);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getrlimit(int resource, ResourceLimit* limit);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setrlimit(int resource, ResourceLimit* limit);

    /// <summary>The mode is a variadic int in C; both systems pass it as any other on what Colibri runs on.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int openat(int dirfd, byte* path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mkdirat(int dirfd, byte* path, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int unlinkat(int dirfd, byte* path, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int renameat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath);

    /// <summary>glibc 2.32 for AT_SYMLINK_NOFOLLOW, FreeBSD 8.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchmodat(int dirfd, byte* path, uint mode, int flags);

    /// <summary>The stream has the descriptor from then on, and closes it.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint fdopendir(int fd);

    /// <summary>A <c>struct dirent</c>, valid until the next call; null at the end and on an error.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial byte* readdir(nint stream);

    [LibraryImport(Library)]
    internal static partial int closedir(nint stream);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fstat(int fd, void* statbuf);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int chdir(byte* path);

    /// <summary>The count is a <c>size_t</c> in glibc, an int in FreeBSD.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setgroups(nuint size, uint* list);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setgid(uint gid);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setuid(uint uid);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int execve(byte* path, byte** argv, byte** envp);

    /// <summary>glibc 2.34, FreeBSD 8.</summary>
    [LibraryImport(Library)]
    internal static partial void closefrom(int lowfd);

    /// <summary>Which file system a file lies on, and how it is mounted. The structs have nothing in common.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int statfs(byte* path, void* buf);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial byte* getcwd(byte* buf, nuint size);

    [LibraryImport(Library)]
    internal static partial uint geteuid();

    [LibraryImport(Library)]
    internal static partial uint getegid();

    /// <summary>For what only one of the two systems has as a function (Linux: prctl, pidfd_open, pidfd_send_signal, getxattr, epoll), and for fdatasync, whose name is SQLite's: <see cref="SyncCall"/>.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e);
}

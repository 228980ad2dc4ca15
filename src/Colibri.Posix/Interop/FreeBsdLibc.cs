using System.Runtime.InteropServices;

namespace Colibri.Posix.Interop;

/// <summary>
/// Functions that only FreeBSD has. The library is named by its FreeBSD file name, so that DirectPInvoke of "libc" does
/// not ask a Linux linker for them; the loader finds the copy that is mapped already.
/// </summary>
internal static unsafe partial class FreeBsdLibc
{
    private const string Library = "libc.so.7";

    /// <summary><c>id_t</c> is 64 bits wide (<c>sys/_types.h</c>).</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int procctl(int idtype, long id, int cmd, void* data);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sysctl(int* name, uint namelen, void* oldp, nuint* oldlenp, void* newp, nuint newlen);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sysctlbyname(byte* name, void* oldp, nuint* oldlenp, void* newp, nuint newlen);

    /// <summary>sys/jail.h: <c>iov</c> holds names and values by turns; every buffer is written back to.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int jail_set(IoVector* iov, uint niov, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int jail_get(IoVector* iov, uint niov, int flags);

    /// <summary>Process-wide, and for good: never in the daemon.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int jail_attach(int jid);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int jail_remove(int jid);

    /// <summary>The descriptor is not inherited by children (kqueue(2)).</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kqueue();

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kevent(int kq, Kevent* changelist, int nchanges, Kevent* eventlist, int nevents, Timespec* timeout);
}

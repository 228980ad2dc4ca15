using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Jails;

/// <summary>The four system calls of jails. FreeBSD only, natively: a Linux executable under linux64 cannot make them.</summary>
internal static unsafe class JailCalls
{
    /// <summary>jail_set(2): the id of the jail that was made.</summary>
    /// <exception cref="IOException">It was refused; the message has the kernel's own words.</exception>
    public static int Set(JailParameters parameters, int flags) => Call(parameters, flags, isSet: true);

    /// <summary>jail_get(2): the id of the jail; -1 where there is none.</summary>
    /// <exception cref="IOException">It failed otherwise.</exception>
    public static int Get(JailParameters parameters) => Call(parameters, 0, isSet: false);

    /// <summary>jail_attach(2).</summary>
    /// <exception cref="IOException">It was refused.</exception>
    public static void Attach(int jid)
    {
        if (FreeBsdLibc.jail_attach(jid) != 0)
            throw new IOException($"jail_attach: {Errno.Describe(Marshal.GetLastPInvokeError())}");
    }

    /// <summary>jail_remove(2): every process in it is killed. False where there is none of that id.</summary>
    /// <exception cref="IOException">It was refused.</exception>
    public static bool Remove(int jid)
    {
        if (FreeBsdLibc.jail_remove(jid) == 0)
            return true;
        // EINVAL: no such jail.
        return Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINVAL ? throw new IOException($"jail_remove: {Errno.Describe(error)}") : false;
    }

    private static int Call(JailParameters parameters, int flags, bool isSet)
    {
        var entries = parameters.Entries;
        var pins = new GCHandle[entries.Count];
        var vector = stackalloc IoVector[entries.Count];
        try
        {
            for (var i = 0; i < entries.Count; i++)
            {
                pins[i] = GCHandle.Alloc(entries[i], GCHandleType.Pinned);
                vector[i] = new IoVector { iov_base = (void*)pins[i].AddrOfPinnedObject(), iov_len = (nuint)entries[i].Length };
            }
            var jid = isSet ? FreeBsdLibc.jail_set(vector, (uint)entries.Count, flags) : FreeBsdLibc.jail_get(vector, (uint)entries.Count, flags);
            var error = Marshal.GetLastPInvokeError();
            if (jid >= 0)
                return jid;
            if (!isSet && error == AbiConstants.ENOENT)
                return -1;
            throw new IOException($"{(isSet ? "jail_set" : "jail_get")}: {Reason(parameters.ErrorText, error)}");
        }
        finally
        {
            foreach (var pin in pins)
            {
                if (pin.IsAllocated)
                    pin.Free();
            }
        }
    }

    internal static string Reason(ReadOnlySpan<byte> text, int error)
    {
        var length = text.IndexOf((byte)0);
        var words = Encoding.UTF8.GetString(length < 0 ? text : text[..length]);
        return words.Length > 0 ? $"{words} ({Errno.Describe(error)})" : Errno.Describe(error);
    }
}

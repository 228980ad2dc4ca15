using System.Buffers.Binary;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Jails;

/// <summary>
/// What jail_set(2) and jail_get(2) are called with, as data: names and values by turns, strings with their NUL, numbers as the int they
/// are in C, and at the end the buffer for the kernel's own words about a failure.
/// </summary>
internal sealed class JailParameters
{
    private readonly List<byte[]> _entries = [];

    private JailParameters()
    {
    }

    /// <summary>An even number of buffers, each a name or a value; both calls write to them.</summary>
    public IReadOnlyList<byte[]> Entries => _entries;

    /// <summary>The value after <c>errmsg</c>.</summary>
    public byte[] ErrorText => _entries[^1];

    /// <summary>
    /// A jail that lasts as long as a process is in it: <c>persist</c> is not among them. <c>allow.mlock</c> is, because the .NET runtime locks a page
    /// of memory as it comes up, and ends where it may not.
    /// </summary>
    public static JailParameters ForNew(string name, string path, JailNetwork network)
    {
        var parameters = new JailParameters().Add("name", name).Add("path", path);
        if (network.Address is { } address)
            parameters.Add("ip4", AbiConstants.JAIL_SYS_NEW).Add("ip4.addr", address).Add("ip6", AbiConstants.JAIL_SYS_DISABLE);
        else
            parameters.Add("ip4", SysOf(network)).Add("ip6", SysOf(network));
        return parameters.Add("allow.mlock", Array.Empty<byte>()).Add("errmsg", new byte[AbiConstants.JAIL_ERRMSGLEN]);
    }

    /// <summary>Asks which jail has the name.</summary>
    public static JailParameters ForName(string name) =>
        new JailParameters().Add("name", name).Add("errmsg", new byte[AbiConstants.JAIL_ERRMSGLEN]);

    /// <summary>Asks where the root of the jail of that name is; the answer is put into <paramref name="path"/>.</summary>
    public static JailParameters ForRoot(string name, out byte[] path)
    {
        path = new byte[AbiConstants.PATH_MAX];
        return new JailParameters().Add("name", name).Add("path", path).Add("errmsg", new byte[AbiConstants.JAIL_ERRMSGLEN]);
    }

    private static int SysOf(JailNetwork network) =>
        network == JailNetwork.Inherit ? AbiConstants.JAIL_SYS_INHERIT : AbiConstants.JAIL_SYS_DISABLE;

    private JailParameters Add(string name, string value) => Add(name, CString(value));

    private JailParameters Add(string name, int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Add(name, bytes);
    }

    private JailParameters Add(string name, byte[] value)
    {
        _entries.Add(CString(name));
        _entries.Add(value);
        return this;
    }

    private static byte[] CString(string text) => Encoding.UTF8.GetBytes(text + '\0');
}

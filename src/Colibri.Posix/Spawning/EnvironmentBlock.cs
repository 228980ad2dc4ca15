using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>
/// An environment as execve(2) takes it: entries of any bytes but NUL, in order. An entry need not be UTF-8 and need not hold '=', and a name may
/// stand in it twice. What a process inherited that way reaches its child unchanged.
/// </summary>
public sealed unsafe class EnvironmentBlock
{
    private readonly byte[][] _entries;

    private EnvironmentBlock(byte[][] entries) => _entries = entries;

    /// <summary>Without an entry.</summary>
    public static EnvironmentBlock Empty { get; } = new([]);

    /// <summary>NAME=VALUE, or whatever else stands there, without the NUL.</summary>
    public IReadOnlyList<byte[]> Entries => _entries;

    /// <summary>This process's own: <c>environ</c>, environ(7). The runtime's copy has gone through a decoder.</summary>
    public static EnvironmentBlock Own()
    {
        var entries = new List<byte[]>();
        for (var next = RuntimeLibrary.SystemNative_GetEnviron(); next is not null && *next is not null; next++)
            entries.Add(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(*next).ToArray());
        return new EnvironmentBlock([.. entries]);
    }

    /// <summary>Text, as UTF-8.</summary>
    /// <exception cref="ArgumentException">A name is empty or holds '=', or a text holds a NUL or half a surrogate pair.</exception>
    public static EnvironmentBlock Of(IEnumerable<KeyValuePair<string, string>> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        return new EnvironmentBlock([.. variables.Select(variable => Entry(variable.Key, variable.Value))]);
    }

    /// <summary>Entries that each end with a NUL, as in /proc/PID/environ.</summary>
    /// <exception cref="ArgumentException">The last has none.</exception>
    public static EnvironmentBlock FromTerminated(ReadOnlySpan<byte> terminated)
    {
        if (terminated is [.., not 0])
            throw new ArgumentException("the last entry has no NUL behind it", nameof(terminated));
        var entries = new List<byte[]>();
        for (; !terminated.IsEmpty; terminated = terminated[(terminated.IndexOf((byte)0) + 1)..])
            entries.Add(terminated[..terminated.IndexOf((byte)0)].ToArray());
        return new EnvironmentBlock([.. entries]);
    }

    /// <summary>The entries, each with a NUL behind it.</summary>
    public byte[] ToTerminated()
    {
        var length = 0;
        foreach (var entry in _entries)
            length += entry.Length + 1;
        var block = new byte[length];
        var next = 0;
        foreach (var entry in _entries)
        {
            entry.CopyTo(block, next);
            next += entry.Length + 1;
        }
        return block;
    }

    /// <summary>
    /// With these variables, each once: they take the place of every entry of their names, and of earlier ones among themselves. They come first,
    /// so that what looks for one of them need not read a long environment.
    /// </summary>
    /// <exception cref="ArgumentException">As <see cref="Of"/>.</exception>
    public EnvironmentBlock With(IEnumerable<KeyValuePair<string, string>> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var added = new OrderedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (name, value) in variables)
        {
            var entry = Entry(name, value);
            added[KeyOf(entry)] = entry;
        }
        return new EnvironmentBlock([.. added.Values, .. _entries.Where(entry => !added.ContainsKey(KeyOf(entry)))]);
    }

    /// <summary>With one variable whose value is bytes, in place of every entry of its name.</summary>
    /// <exception cref="ArgumentException">As <see cref="Of"/>.</exception>
    public EnvironmentBlock With(string name, ReadOnlySpan<byte> value)
    {
        if (value.Contains((byte)0))
            throw new ArgumentException($"a variable with a NUL in it cannot be passed to a process: '{name}'", nameof(value));
        return new EnvironmentBlock([[.. Entry(name, ""), .. value], .. Without(name)._entries]);
    }

    /// <summary>Without the entries of a name.</summary>
    public EnvironmentBlock Without(string name) => Where(other => other != name);

    /// <summary>The entries whose names are kept.</summary>
    /// <param name="keeps">
    /// Asked with the name: what stands before the first '=', or the whole entry without one. What is no UTF-8 in it is U+FFFD here.
    /// </param>
    public EnvironmentBlock Where(Predicate<string> keeps)
    {
        ArgumentNullException.ThrowIfNull(keeps);
        return new EnvironmentBlock([.. _entries.Where(entry => keeps(Encoding.UTF8.GetString(NameOf(entry))))]);
    }

    /// <summary>The first value of a name, as getenv(3) finds it; null where there is none.</summary>
    public byte[]? ValueOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var wanted = Encoding.UTF8.GetBytes(name + '=');
        var found = Array.Find(_entries, entry => entry.AsSpan().StartsWith(wanted));
        return found?.AsSpan(wanted.Length).ToArray();
    }

    /// <summary>What stands before the first '=', or the whole entry without one.</summary>
    internal static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> entry) => entry.IndexOf((byte)'=') is >= 0 and var end ? entry[..end] : entry;

    private static string KeyOf(byte[] entry) => Encoding.Latin1.GetString(NameOf(entry));

    private static byte[] Entry(string name, string value)
    {
        if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
            throw new ArgumentException($"not a name of an environment variable: '{name}'", nameof(name));
        if (name.Contains('\0', StringComparison.Ordinal) || value.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"a variable with a NUL in it cannot be passed to a process: '{name.Replace('\0', '?')}'", nameof(value));
        return NativeStrings.Utf8.GetBytes($"{name}={value}");
    }
}

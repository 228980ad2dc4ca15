using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Files;

/// <summary>The names in an open directory. They are bytes, which need not be UTF-8.</summary>
internal static unsafe class DirectoryNames
{
    /// <summary>Some of them, each ended by a NUL, without <c>.</c> and <c>..</c>; none where it is empty or cannot be read.</summary>
    /// <param name="directory">An open directory, which stays open.</param>
    /// <param name="most">At most so many.</param>
    /// <param name="without">Names to leave out.</param>
    public static List<byte[]> Read(int directory, int most, IReadOnlySet<string> without)
    {
        var names = new List<byte[]>();
        fixed (byte* dot = ".\0"u8)
        {
            // A descriptor of its own: the stream closes it, and reads from the directory's beginning.
            var own = Libc.openat(directory, dot, AbiConstants.O_RDONLY | AbiConstants.Current.O_DIRECTORY | AbiConstants.Current.O_CLOEXEC, 0);
            if (own < 0)
                return names;
            var stream = Libc.fdopendir(own);
            if (stream == 0)
            {
                _ = Libc.close(own);
                return names;
            }
            while (names.Count < most && Libc.readdir(stream) is var entry && entry is not null)
            {
                var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + AbiConstants.Current.OffsetOfDName);
                if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8) && !without.Contains(Key(name)))
                    names.Add([.. name, 0]);
            }
            _ = Libc.closedir(stream);
        }
        return names;
    }

    /// <summary>A name as a key: each byte is a character.</summary>
    public static string Key(ReadOnlySpan<byte> name) => System.Text.Encoding.Latin1.GetString(name is [.. var bytes, 0] ? bytes : name);
}

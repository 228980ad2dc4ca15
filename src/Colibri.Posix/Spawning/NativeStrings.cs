using System.Runtime.InteropServices;
using System.Text;

namespace Colibri.Posix.Spawning;

/// <summary>A NULL-terminated array of C strings in one native block, as execve(2) wants argv and envp.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    // A lone surrogate throws ArgumentException; it must not become a question mark in a path.
    internal static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private byte** _block;

    public NativeStrings(IReadOnlyList<string> strings, string parameter)
    {
        long bytes = 0;
        foreach (var text in strings)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("a string with a NUL in it cannot be passed to a process", parameter);
            bytes += Utf8.GetByteCount(text) + 1;
        }

        var pointers = ((nuint)strings.Count + 1) * (nuint)sizeof(byte*);
        _block = (byte**)NativeMemory.Alloc(checked(pointers + (nuint)bytes));
        var next = (byte*)_block + pointers;
        for (var i = 0; i < strings.Count; i++)
        {
            _block[i] = next;
            next += Utf8.GetBytes(strings[i], new Span<byte>(next, Utf8.GetByteCount(strings[i])));
            *next++ = 0;
        }
        _block[strings.Count] = null;
    }

    /// <summary>Strings as in /proc/PID/cmdline and environ: raw bytes, each string followed by a NUL.</summary>
    public NativeStrings(ReadOnlySpan<byte> terminated)
    {
        var count = terminated.Count((byte)0);
        if (terminated is [.., not 0])
            throw new ArgumentException("the last string has no NUL behind it", nameof(terminated));
        var pointers = ((nuint)count + 1) * (nuint)sizeof(byte*);
        _block = (byte**)NativeMemory.Alloc(checked(pointers + (nuint)terminated.Length));
        var next = (byte*)_block + pointers;
        terminated.CopyTo(new Span<byte>(next, terminated.Length));
        for (var i = 0; i < count; i++)
        {
            _block[i] = next;
            var length = terminated.IndexOf((byte)0) + 1;
            terminated = terminated[length..];
            next += length;
        }
        _block[count] = null;
    }

    public byte** Pointer => _block;

    public void Dispose()
    {
        NativeMemory.Free(_block);
        _block = null;
    }
}

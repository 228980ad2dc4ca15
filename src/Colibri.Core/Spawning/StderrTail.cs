using System.Text;

namespace Colibri.Core.Spawning;

/// <summary>The last bytes an agent wrote to standard error, for the error message of its run.</summary>
internal sealed class StderrTail
{
    /// <summary>Bytes kept; older ones are overwritten.</summary>
    public const int Capacity = 8 * 1024;

    private byte[] _ring = [];
    private long _written;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Capacity)
        {
            _written += bytes.Length - Capacity;
            bytes = bytes[^Capacity..];
        }
        // Most agents never write here, so the ring is made with the first byte.
        if (_ring.Length == 0 && !bytes.IsEmpty)
            _ring = new byte[Capacity];
        foreach (var b in bytes)
            _ring[(int)(_written++ % Capacity)] = b;
    }

    /// <summary>The last line that says anything, or null.</summary>
    public string? LastLine() => Text()?.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();

    /// <summary>What is kept, as text; invalid UTF-8 becomes U+FFFD. Null where nothing was written.</summary>
    public string? Text()
    {
        if (_written == 0)
            return null;
        if (_written <= Capacity)
            return Encoding.UTF8.GetString(_ring, 0, (int)_written);
        var start = (int)(_written % Capacity);
        byte[] ordered = [.. _ring[start..], .. _ring[..start]];
        // The cut may lie inside a character.
        var whole = Array.FindIndex(ordered, b => (b & 0xC0) != 0x80);
        return Encoding.UTF8.GetString(ordered, Math.Max(whole, 0), ordered.Length - Math.Max(whole, 0));
    }
}

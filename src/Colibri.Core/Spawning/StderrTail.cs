using System.Text;

namespace Colibri.Core.Spawning;

/// <summary>The last bytes an agent wrote to standard error, for the error message of its run.</summary>
internal sealed class StderrTail
{
    /// <summary>Bytes shown at the most; of older ones nothing is left.</summary>
    public const int Capacity = 8 * 1024;

    // Kept before them, and not shown: half of a key that the ring has torn would not be known again.
    private const int LongestKey = 512;
    private const int RingBytes = Capacity + LongestKey;

    private byte[] _ring = [];
    private long _written;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > RingBytes)
        {
            _written += bytes.Length - RingBytes;
            bytes = bytes[^RingBytes..];
        }
        // Most agents never write here, so the ring is made with the first byte.
        if (_ring.Length == 0 && !bytes.IsEmpty)
            _ring = new byte[RingBytes];
        foreach (var b in bytes)
            _ring[(int)(_written++ % RingBytes)] = b;
    }

    /// <summary>The last line that says anything, or null.</summary>
    /// <param name="redact">Blots out what must not be kept.</param>
    public string? LastLine(Func<string, string>? redact = null) =>
        Text(redact)?.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();

    /// <summary>What is kept, as text; invalid UTF-8 becomes U+FFFD. Null where nothing was written.</summary>
    /// <param name="redact">Blots out what must not be kept.</param>
    public string? Text(Func<string, string>? redact = null)
    {
        if (_written == 0)
            return null;
        var start = (int)(_written % RingBytes);
        byte[] kept = _written <= RingBytes ? _ring[..(int)_written] : [.. _ring[start..], .. _ring[..start]];
        var text = Encoding.UTF8.GetString(kept);
        byte[] shown = redact is null || redact(text) is var clean && ReferenceEquals(clean, text) ? kept : Encoding.UTF8.GetBytes(clean);
        var first = Math.Max(shown.Length - Capacity, _written > RingBytes ? Math.Min(LongestKey, shown.Length) : 0);
        // The cut may lie inside a character.
        while (first > 0 && first < shown.Length && (shown[first] & 0xC0) == 0x80)
            first++;
        return Encoding.UTF8.GetString(shown, first, shown.Length - first);
    }
}

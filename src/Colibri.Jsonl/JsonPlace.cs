using System.Buffers;

namespace Colibri.Jsonl;

/// <summary>
/// Where a byte of a JSON text stands: inside a string or not, and below how many brackets. Bytes are passed in pieces of any size and are not
/// checked, so a text that is kept in part can be placed exactly.
/// </summary>
internal struct JsonPlace
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);

    private bool _inString;
    private bool _isEscaped;

    /// <summary>Brackets that are open.</summary>
    public long Depth { get; private set; }

    /// <summary>The least depth since <see cref="Rest"/>: containers up to that level are the same ones as then.</summary>
    public long Lowest { get; private set; }

    /// <summary>Measures <see cref="Lowest"/> from here on.</summary>
    public void Rest() => Lowest = Depth;

    /// <summary>Passes bytes, wherever the piece begins and ends.</summary>
    public void Pass(ReadOnlySpan<byte> bytes)
    {
        while (Next(bytes, Structure) is >= 0 and var at) bytes = bytes[(at + 1)..];
    }

    /// <summary>Passes bytes up to and with the next bracket or other byte looked for that is outside of strings.</summary>
    /// <param name="bytes">The text that follows.</param>
    /// <param name="wanted">The quote, all brackets, and what else is looked for.</param>
    /// <returns>Its offset; -1 if all bytes were passed without one.</returns>
    public int Next(ReadOnlySpan<byte> bytes, SearchValues<byte> wanted)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            if (_inString)
            {
                at = PassString(bytes, at);
                continue;
            }

            var next = bytes[at..].IndexOfAny(wanted);
            if (next < 0) return -1;
            at += next;
            switch (bytes[at])
            {
                case (byte)'"':
                    _inString = true;
                    at++;
                    continue;
                case (byte)'{' or (byte)'[':
                    Depth++;
                    break;
                case (byte)'}' or (byte)']':
                    Depth--;
                    if (Depth < Lowest) Lowest = Depth;
                    break;
            }

            return at;
        }

        return -1;
    }

    private int PassString(ReadOnlySpan<byte> bytes, int at)
    {
        if (_isEscaped)
        {
            _isEscaped = false;
            return at + 1;
        }

        var next = bytes[at..].IndexOfAny((byte)'"', (byte)'\\');
        if (next < 0) return bytes.Length;
        at += next;
        _isEscaped = bytes[at] == '\\';
        _inString = _isEscaped;
        return at + 1;
    }
}

using System.Text;
using Colibri.Core.Providers;

namespace Colibri.Core.Processes;

/// <summary>The last bytes an agent wrote to standard error, for the error message of its run.</summary>
internal sealed class StderrTail
{
    /// <summary>The most bytes shown; older ones are overwritten.</summary>
    public const int Capacity = 8 * 1024;

    // Bytes kept before those shown, and never shown themselves. The buffer's start may cut a key, whose last characters alone cannot be recognised.
    private const int Margin = 512;
    private const int RingBytes = Capacity + Margin;

    // How jail(8) ends what it says about a command that failed (finish_command, usr.sbin/jail/command.c).
    private static readonly string[] EchoEnds = [": failed", ": exited on signal "];

    // The loop writes while another thread words why a limit was missed.
    private readonly Lock _gate = new();
    private byte[] _ring = [];
    private long _written;

    /// <summary>
    /// How a tool that started the agent begins to repeat the agent's whole command line once that has failed, as jail(8) does; null where none does.
    /// The repetition is never the last line.
    /// </summary>
    public string? Echo { get; set; }

    /// <summary>What <see cref="LastLine"/> is where nothing was written.</summary>
    public string? Unsaid { get; set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
            Overwrite(bytes);
    }

    private void Overwrite(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > RingBytes)
        {
            _written += bytes.Length - RingBytes;
            bytes = bytes[^RingBytes..];
        }
        // Most agents never write to standard error, so the buffer is allocated with the first byte.
        if (_ring.Length == 0 && !bytes.IsEmpty)
            _ring = new byte[RingBytes];
        foreach (var b in bytes)
            _ring[(int)(_written++ % RingBytes)] = b;
    }

    /// <summary>The last line that is not empty, or null.</summary>
    /// <param name="secrets">Redacts keys.</param>
    public string? LastLine(Secrets secrets) =>
        WithoutEcho(Text(secrets))?.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? Unsaid;

    private string? WithoutEcho(string? text)
    {
        if (Echo is null || text is null)
            return text;
        var start = text.LastIndexOf(Echo, StringComparison.Ordinal);
        // A prompt of more than the buffer is all that is left of the line.
        if (start >= 0)
            return text[..start];
        return _written > RingBytes && Array.Exists(EchoEnds, end => text.AsSpan().TrimEnd().TrimEnd("0123456789").EndsWith(end)) ? null : text;
    }

    /// <summary>The kept bytes as text; invalid UTF-8 becomes U+FFFD. Null if nothing was written.</summary>
    /// <param name="secrets">Redacts keys.</param>
    public string? Text(Secrets secrets)
    {
        byte[] kept;
        bool isTorn;
        lock (_gate)
        {
            if (_written == 0)
                return null;
            var start = (int)(_written % RingBytes);
            kept = _written <= RingBytes ? _ring[..(int)_written] : [.. _ring[start..], .. _ring[..start]];
            isTorn = _written > RingBytes;
        }
        // The buffer's start may cut a character as well.
        var whole = isTorn ? CharacterStart(kept, 0) : 0;
        var text = Encoding.UTF8.GetString(kept, whole, kept.Length - whole);
        var clean = secrets.Redact(text);
        byte[] shown = ReferenceEquals(clean, text) ? kept : Encoding.UTF8.GetBytes(clean);
        var first = Math.Max(shown.Length - Capacity, isTorn ? Math.Min(Margin, shown.Length) : 0);
        if (first > 0)
            first = CharacterStart(shown, first);
        return Encoding.UTF8.GetString(shown, first, shown.Length - first);
    }

    /// <summary>The start of the next character, at most three bytes ahead, so that bytes that are no UTF-8 are shown too.</summary>
    private static int CharacterStart(byte[] text, int index)
    {
        for (var end = Math.Min(index + 3, text.Length); index < end && (text[index] & 0xC0) == 0x80;)
            index++;
        return index;
    }
}

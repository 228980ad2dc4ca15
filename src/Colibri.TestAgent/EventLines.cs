using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>Prints events, one JSON object a line and one write a line, and breaks the stream where the options ask for it.</summary>
internal sealed class EventLines(Stream output, AgentOptions options)
{
    private static readonly byte[][] BrokenLines =
    [
        "{\"type\":\"message_update\",\"usage\":{\"input\":17\n"u8.ToArray(),
        [0x00, 0xff, 0xfe, 0x80, (byte)'"', 0x1b, (byte)'{', 0xc3, 0x28, (byte)'\n'],
        "{\n"u8.ToArray(),
    ];

    // As Pi does: nothing is escaped that JSON does not ask for.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _line = new();
    private int _events;
    private int _broken;

    /// <summary>Prints one event. With a crash asked for, dies in the middle of the line that is one too many.</summary>
    public void Write(Step step)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, Plain))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, step.Type);
            step.Body?.Invoke(json);
            json.WriteEndObject();
        }
        if (_events == options.CrashAfter)
            Crash();
        Flush();
        _events++;
        if (_broken < options.Malformed)
            WriteBrokenLine();
    }

    /// <summary>Prints the answer to a command; it is no event and does not count as one.</summary>
    public void WriteResponse(Action<Utf8JsonWriter> body)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, Plain))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }
        Flush();
    }

    /// <summary>The broken lines that a short run had no room for.</summary>
    public void WriteRemainingBrokenLines()
    {
        while (_broken < options.Malformed)
            WriteBrokenLine();
    }

    /// <summary>One line of <paramref name="bytes"/> bytes, then its newline; memory use does not depend on its length.</summary>
    public void WriteFlood(long bytes)
    {
        var chunk = new byte[64 * 1024];
        chunk.AsSpan().Fill((byte)'x');
        for (; bytes > 0; bytes -= chunk.Length)
            output.Write(chunk, 0, (int)long.Min(bytes, chunk.Length));
        output.Write("\n"u8);
    }

    private void WriteBrokenLine() => output.Write(BrokenLines[_broken++ % BrokenLines.Length]);

    private void Flush()
    {
        _line.Write("\n"u8);
        output.Write(_line.WrittenSpan);
        output.Flush();
    }

    private void Crash()
    {
        output.Write(_line.WrittenSpan[..(_line.WrittenCount / 2)]);
        Environment.FailFast($"crash asked for after {_events} events");
    }
}

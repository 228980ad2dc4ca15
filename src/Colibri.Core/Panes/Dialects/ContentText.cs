using System.Text;
using Colibri.Jsonl;

namespace Colibri.Core.Panes.Dialects;

/// <summary>The words in what agents call content: a string, or an array of blocks of which those of type <c>text</c> hold words.</summary>
internal static class ContentText
{
    private static readonly JsonFields Block = new("type", "text");

    /// <summary>Whether there is more in it than blanks; decodes nothing.</summary>
    public static bool HasWords(ReadOnlySpan<byte> line, JsonValue content)
    {
        if (content.IsString) return !IsBlank(content.Raw(line));
        if (content.Kind != ValueKind.Array) return false;
        Span<JsonValue> block = stackalloc JsonValue[2];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!Block.TryRead(line, blocks.Current, block)) continue;
            if (block[0].StringEquals(line, "text"u8) && block[1].IsString && HasWords(line, block[1])) return true;
        }

        return false;
    }

    /// <summary>Whether there is a block that lacks its words or its type.</summary>
    public static bool LacksText(ReadOnlySpan<byte> line, JsonValue content)
    {
        Span<JsonValue> block = stackalloc JsonValue[2];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!Block.TryRead(line, blocks.Current, block) || !block[0].IsString) return true;
            if (block[0].StringEquals(line, "text"u8) && !block[1].IsString) return true;
        }

        return false;
    }

    // As it stands in the line: a newline is two characters.
    private static bool IsBlank(ReadOnlySpan<byte> raw)
    {
        while (!raw.IsEmpty)
        {
            if (raw[0] is (byte)' ' or (byte)'\t') raw = raw[1..];
            else if (raw is [(byte)'\\', (byte)'n' or (byte)'r' or (byte)'t' or (byte)'f', ..]) raw = raw[2..];
            else return false;
        }

        return true;
    }

    /// <summary>The decoded text, blocks parted by a newline; empty when there are no words in it.</summary>
    public static string Decode(ReadOnlySpan<byte> line, JsonValue content)
    {
        if (content.IsString) return content.GetString(line)!;
        string? single = null;
        StringBuilder? several = null;
        Span<JsonValue> block = stackalloc JsonValue[2];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!Block.TryRead(line, blocks.Current, block) || !block[0].StringEquals(line, "text"u8)) continue;
            if (block[1].GetString(line) is not { } text) continue;
            if (single is null) single = text;
            else (several ??= new StringBuilder(single)).Append('\n').Append(text);
        }

        return several?.ToString() ?? single ?? "";
    }
}

using System.Text;
using Colibri.Jsonl;

namespace Colibri.Core.Panes.Dialects;

/// <summary>The words in what agents call content: a string, or an array of blocks of which those of type <c>text</c> hold words.</summary>
internal static class ContentText
{
    private static readonly JsonFields Block = new("type", "text");

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

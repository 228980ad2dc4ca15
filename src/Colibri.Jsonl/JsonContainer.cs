using System.Runtime.CompilerServices;

namespace Colibri.Jsonl;

/// <summary>Skips an object or array whose content is not needed, and checks it exactly by RFC 8259.</summary>
internal static class JsonContainer
{
    /// <summary>Levels walked, the container itself included; <see cref="JsonLineReader"/> walks deeper ones itself.</summary>
    public const int MaxLevels = 64;

    /// <summary>Not decided: the container nests deeper than <see cref="MaxLevels"/>.</summary>
    public const int TooDeep = -2;

    /// <summary>
    /// Offset after the bracket that closes the container whose opening bracket is right before <paramref name="at"/>; -1 on a fault,
    /// <see cref="TooDeep"/> where it nests too deep to be decided here.
    /// </summary>
    public static int End(ReadOnlySpan<byte> line, int at, bool isObject)
    {
        var objects = isObject ? 1UL : 0;
        var levels = 1;
        if (SkipWhiteSpace(line, ref at) == (isObject ? '}' : ']')) return at + 1;
        while (true)
        {
            // At a value, in an object at its name. What it opens, if it is a container, goes on at the top.
            if ((objects & 1) != 0 && !PassName(line, ref at)) return -1;
            int c = SkipWhiteSpace(line, ref at);
            if (c == '"')
            {
                at = JsonScan.StringEnd(line, at + 1, out _) + 1;
                if (at == 0) return -1;
            }
            else if (c is '{' or '[')
            {
                if (levels == MaxLevels) return TooDeep;
                objects = (objects << 1) | (c == '{' ? 1UL : 0);
                levels++;
                at++;
                if (SkipWhiteSpace(line, ref at) != c + 2) continue;
            }
            else
            {
                var length = ScalarLength(line, at);
                if (length == 0) return -1;
                at += length;
            }

            // After a value: close containers until a comma follows.
            while ((c = SkipWhiteSpace(line, ref at)) != ',')
            {
                if (c != ((objects & 1) != 0 ? '}' : ']')) return -1;
                at++;
                objects >>= 1;
                if (--levels == 0) return at;
            }

            at++;
        }
    }

    /// <summary>Length of the number or literal at <paramref name="at"/>; 0 if there is none.</summary>
    public static int ScalarLength(ReadOnlySpan<byte> line, int at)
    {
        if (at >= line.Length) return 0;
        var rest = line[at..];
        switch (rest[0])
        {
            case (byte)'t':
                return rest.StartsWith("true"u8) ? 4 : 0;
            case (byte)'f':
                return rest.StartsWith("false"u8) ? 5 : 0;
            case (byte)'n':
                return rest.StartsWith("null"u8) ? 4 : 0;
            default:
                return JsonScan.NumberLength(rest);
        }
    }

    private static bool PassName(ReadOnlySpan<byte> line, ref int at)
    {
        if (SkipWhiteSpace(line, ref at) != '"') return false;
        at = JsonScan.StringEnd(line, at + 1, out _) + 1;
        if (at == 0 || SkipWhiteSpace(line, ref at) != ':') return false;
        at++;
        return true;
    }

    // The byte found, -1 at the line's end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SkipWhiteSpace(ReadOnlySpan<byte> line, ref int at)
    {
        while ((uint)at < (uint)line.Length)
        {
            var c = line[at];
            if (c > ' ' || c is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) return c;
            at++;
        }

        return -1;
    }
}

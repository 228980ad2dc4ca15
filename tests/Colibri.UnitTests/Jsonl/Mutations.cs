namespace Colibri.UnitTests.Jsonl;

/// <summary>Lines that are nearly what an agent prints.</summary>
internal static class Mutations
{
    /// <summary>A copy with up to three bytes or pieces changed, lost or repeated.</summary>
    public static byte[] Of(byte[] original, Random random)
    {
        var line = (byte[])original.Clone();
        var interesting = "\"\\{}[]:,0-.eE tfn\u0001\t/u"u8;
        for (var n = random.Next(0, 4); n > 0 && line.Length > 2; n--)
        {
            var at = random.Next(line.Length);
            switch (random.Next(6))
            {
                case 0: line[at] = interesting[random.Next(interesting.Length)]; break;
                case 1: line[at] = (byte)random.Next(256); break;
                case 2: line = [.. line[..at], .. line[(at + 1)..]]; break;
                case 3: line = [.. line[..at], interesting[random.Next(interesting.Length)], .. line[at..]]; break;
                case 4: line = line[..at]; break;
                default:
                    var from = random.Next(line.Length);
                    var count = Math.Min(random.Next(1, 40), line.Length - Math.Max(at, from));
                    line.AsSpan(from, count).ToArray().CopyTo(line.AsSpan(at));
                    break;
            }
        }

        return line;
    }
}

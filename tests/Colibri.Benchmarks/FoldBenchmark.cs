using Colibri.Core.Glasspane;

namespace Colibri.Benchmarks;

/// <summary>How fast the glasspane folds an agent's output, and what it allocates for it.</summary>
internal static class FoldBenchmark
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>Feeds the recordings, repeated to that many megabytes (10^6 bytes), that many times, after once to warm up.</summary>
    /// <remarks>Rates are for each second of processor time: what else runs on the machine does not count.</remarks>
    public static void Run(int megabytes, int passes, string runtime, IReadOnlyList<string> files)
    {
        var text = Repeat(files, megabytes * 1_000_000L);
        var lines = (long)text.AsSpan().Count((byte)'\n');
        var pane = new AgentPane(new PaneIdentity("fold", runtime, runtime), Dialects.For(runtime, null), TimeProvider.System);
        Feed(pane, text);

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var start = Environment.CpuUsage.TotalTime;
        for (var pass = 0; pass < passes; pass++)
            Feed(pane, text);
        var elapsed = Environment.CpuUsage.TotalTime - start;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;

        var wire = pane.ToWire(TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(1));
        Console.WriteLine($"events {wire.Events / (passes + 1)}");
        Console.WriteLine($"malformed {wire.MalformedLines}");
        Console.WriteLine($"turns {wire.Turns / (passes + 1)}");
        Console.WriteLine($"input {wire.Usage.InputTokens / (passes + 1)}");
        Console.WriteLine($"gb_per_s {(double)text.Length * passes / elapsed.TotalSeconds / 1e9:F4}");
        Console.WriteLine($"ns_per_line {elapsed.TotalNanoseconds / (lines * passes):F1}");
        Console.WriteLine($"bytes_per_line {(double)allocated / (lines * passes):F6}");
    }

    private static void Feed(AgentPane pane, ReadOnlySpan<byte> text)
    {
        for (; text.Length > ChunkBytes; text = text[ChunkBytes..])
            pane.Feed(text[..ChunkBytes]);
        pane.Feed(text);
    }

    private static byte[] Repeat(IReadOnlyList<string> files, long atLeast)
    {
        using var once = new MemoryStream();
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            once.Write(bytes);
            if (bytes is not [.., (byte)'\n'])
                once.WriteByte((byte)'\n');
        }

        var times = (atLeast + once.Length - 1) / once.Length;
        var text = new byte[times * once.Length];
        for (var i = 0; i < times; i++)
            once.GetBuffer().AsSpan(0, (int)once.Length).CopyTo(text.AsSpan((int)(i * once.Length)));
        return text;
    }
}

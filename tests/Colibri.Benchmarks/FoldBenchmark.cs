using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;

namespace Colibri.Benchmarks;

/// <summary>How fast the glasspane folds an agent's output, and what it allocates for it.</summary>
internal static class FoldBenchmark
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>Feeds the recordings, each repeated to its share of that many megabytes (10^6 bytes), that many times, after once to warm up.</summary>
    /// <remarks>
    /// Rates are for each second of processor time: what else runs on the machine does not count. Each recording has a pane of its own, as each
    /// agent has: one pane over all of them would see a new session all the time.
    /// </remarks>
    public static void Run(int megabytes, int passes, string runtime, IReadOnlyList<string> files)
    {
        var share = megabytes * 1_000_000 / files.Count;
        var streams = files.Select(file => (Text: Repeat(File.ReadAllBytes(file), share), Pane: NewPane(runtime))).ToArray();
        var bytes = streams.Sum(stream => (long)stream.Text.Length);
        var lines = streams.Sum(stream => (long)stream.Text.AsSpan().Count((byte)'\n'));
        FeedAll(streams);

        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var start = Environment.CpuUsage.TotalTime;
        for (var pass = 0; pass < passes; pass++)
            FeedAll(streams);
        var elapsed = Environment.CpuUsage.TotalTime - start;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;

        var panes = streams.Select(stream => stream.Pane.ToWire(TimeSpan.FromHours(1), TimeSpan.FromHours(1))).ToArray();
        Console.WriteLine($"events {panes.Sum(pane => pane.Events) / (passes + 1)}");
        Console.WriteLine($"malformed {panes.Sum(pane => pane.MalformedLines)}");
        Console.WriteLine($"turns {panes.Sum(pane => pane.Turns) / (passes + 1)}");
        Console.WriteLine($"input {panes.Sum(pane => pane.Usage.InputTokens) / (passes + 1)}");
        Console.WriteLine($"gb_per_s {(double)bytes * passes / elapsed.TotalSeconds / 1e9:F4}");
        Console.WriteLine($"ns_per_line {elapsed.TotalNanoseconds / (lines * passes):F1}");
        Console.WriteLine($"bytes_per_line {(double)allocated / (lines * passes):F6}");
    }

    private static AgentPane NewPane(string runtime) =>
        new(new PaneIdentity("fold", runtime, runtime), AgentProfiles.For(runtime, null).Dialect, TimeProvider.System);

    private static void FeedAll((byte[] Text, AgentPane Pane)[] streams)
    {
        foreach (var (text, pane) in streams)
            Feed(pane, text);
    }

    private static void Feed(AgentPane pane, ReadOnlySpan<byte> text)
    {
        for (; text.Length > ChunkBytes; text = text[ChunkBytes..])
            pane.Feed(text[..ChunkBytes]);
        pane.Feed(text);
    }

    private static byte[] Repeat(byte[] recording, int atLeast)
    {
        if (recording is not [.., (byte)'\n'])
            recording = [.. recording, (byte)'\n'];
        var text = new byte[(atLeast + recording.Length - 1) / recording.Length * recording.Length];
        for (var at = 0; at < text.Length; at += recording.Length)
            recording.CopyTo(text.AsSpan(at));
        return text;
    }
}

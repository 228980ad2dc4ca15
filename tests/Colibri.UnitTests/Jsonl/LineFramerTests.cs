using System.Text;
using Colibri.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Jsonl;

public sealed class LineFramerTests
{
    [Test]
    [MethodDataSource(typeof(Recordings), nameof(Recordings.Names))]
    public void A_recording_comes_out_the_same_in_every_chunking(string recording)
    {
        var bytes = Recordings.Read(recording);
        var expected = Recordings.Lines(recording).Where(l => l.Length > 0).Select(l => "Whole:" + Convert.ToHexString(l)).ToList();
        Frame(bytes, 1 << 22, _ => bytes.Length).ShouldBe(expected);
        Frame(bytes, 1 << 22, _ => 1).ShouldBe(expected);
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            Frame(bytes, 1 << 22, _ => random.Next(1, seed % 2 == 0 ? 7 : 5000)).ShouldBe(expected);
        }
    }

    [Test]
    [Arguments("a\nb\n", "Whole:a|Whole:b")]
    [Arguments("a\r\nb\r\n", "Whole:a|Whole:b")]
    [Arguments("a\rb\n", "Whole:a\rb")]
    [Arguments("\n\r\n  \t\r\na\n\n", "Whole:a")]
    [Arguments("a\nrest", "Whole:a|Torn:rest")]
    [Arguments("a\n \r", "Whole:a")]
    [Arguments("\uFEFFa\n\uFEFFb\n", "Whole:a|Whole:\uFEFFb")]
    [Arguments("\uFEFF\na\n", "Whole:a")]
    [Arguments("\uFEFF", "")]
    [Arguments("a\u2028b\u2029c\u0085\n", "Whole:a\u2028b\u2029c\u0085")]
    [Arguments("", "")]
    public void Lines_end_at_newlines_alone(string input, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(input);
        for (var size = 1; size <= bytes.Length + 1; size++)
            string.Join('|', Frame(bytes, 100, _ => size, asText: true)).ShouldBe(expected);
    }

    [Test]
    [Arguments("12345678\n", "Whole:12345678")]
    [Arguments("123456789\nok\n", "Oversize:12345678|Whole:ok")]
    [Arguments("1234567890123456789012345678901234567890\nok\n", "Oversize:12345678|Whole:ok")]
    [Arguments("ok\n123456789", "Whole:ok|Oversize:12345678")]
    [Arguments("\uFEFF123456\nok\n", "Oversize:12345|Whole:ok")]
    public void A_line_beyond_the_limit_gives_its_head_once_and_the_next_line_is_whole(string input, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(input);
        for (var size = 1; size <= bytes.Length; size++)
            string.Join('|', Frame(bytes, 8, _ => size, asText: true)).ShouldBe(expected);
    }

    [Test]
    public void An_oversize_line_is_reported_before_its_newline_comes()
    {
        var framer = new LineFramer(4);
        ReadOnlySpan<byte> input = "12345"u8;
        framer.TryRead(ref input, out _, out var kind).ShouldBeTrue();
        kind.ShouldBe(LineKind.Oversize);
        framer.TryRead(ref input, out _, out _).ShouldBeFalse();
        framer.Complete(out _).ShouldBeFalse();
    }

    [Test]
    public void The_head_of_an_oversize_line_is_its_first_64_KiB()
    {
        var line = new byte[3 << 20];
        Random.Shared.NextBytes(line);
        line.AsSpan().Replace((byte)'\n', (byte)'x');
        line[0] = (byte)'{';
        foreach (var chunk in new[] { line.Length, 65536, 4099 })
        {
            var lines = Frame(line, 1 << 20, _ => chunk);
            lines.ShouldBe(["Oversize:" + Convert.ToHexString(line.AsSpan(0, LineFramer.OversizeHeadBytes))]);
        }
    }

    [Test]
    public void A_line_inside_the_chunk_is_a_slice_of_it()
    {
        var framer = new LineFramer(100);
        var chunk = "first\nsecond\nthi"u8.ToArray();
        ReadOnlySpan<byte> input = chunk;
        framer.TryRead(ref input, out var first, out _).ShouldBeTrue();
        chunk.AsSpan().Overlaps(first, out var at).ShouldBeTrue();
        at.ShouldBe(0);
        framer.HoldsBuffer.ShouldBeFalse();
    }

    [Test]
    public void The_buffer_goes_back_when_there_is_no_tail()
    {
        var framer = new LineFramer(100);
        ReadOnlySpan<byte> input = "half"u8;
        framer.TryRead(ref input, out _, out _).ShouldBeFalse();
        framer.HoldsBuffer.ShouldBeTrue();
        framer.TailBytes.ShouldBe(4);

        input = " done\n"u8;
        framer.TryRead(ref input, out var line, out _).ShouldBeTrue();
        Encoding.UTF8.GetString(line).ShouldBe("half done");
        framer.TailBytes.ShouldBe(0);
        framer.TryRead(ref input, out _, out _).ShouldBeFalse();
        framer.HoldsBuffer.ShouldBeFalse();
    }

    [Test]
    public void After_its_end_a_framer_reads_a_new_stream()
    {
        var framer = new LineFramer(100);
        ReadOnlySpan<byte> input = "torn"u8;
        framer.TryRead(ref input, out _, out _).ShouldBeFalse();
        framer.Complete(out var torn).ShouldBeTrue();
        Encoding.UTF8.GetString(torn).ShouldBe("torn");
        input = "\uFEFFnew\n"u8;
        framer.TryRead(ref input, out var line, out _).ShouldBeTrue();
        Encoding.UTF8.GetString(line).ShouldBe("new");
    }

    [Test]
    public void A_limit_below_one_byte_is_refused() => Should.Throw<ArgumentOutOfRangeException>(() => new LineFramer(0));

    private static List<string> Frame(byte[] bytes, int limit, Func<int, int> chunkSize, bool asText = false)
    {
        var framer = new LineFramer(limit);
        var lines = new List<string>();
        string Show(ReadOnlySpan<byte> line) => asText ? Encoding.UTF8.GetString(line) : Convert.ToHexString(line);
        for (var at = 0; at < bytes.Length;)
        {
            var size = Math.Min(chunkSize(at), bytes.Length - at);

            // A copy that is gone afterwards: a framer that kept a slice of a chunk would show it.
            var chunk = bytes.AsSpan(at, size).ToArray();
            ReadOnlySpan<byte> input = chunk;
            while (framer.TryRead(ref input, out var line, out var kind)) lines.Add($"{kind}:{Show(line)}");
            Array.Fill(chunk, (byte)'#');
            at += size;
        }

        if (framer.Complete(out var torn)) lines.Add($"{LineKind.Torn}:{Show(torn)}");
        framer.HoldsBuffer.ShouldBe(torn.Length > 0);
        return lines;
    }
}

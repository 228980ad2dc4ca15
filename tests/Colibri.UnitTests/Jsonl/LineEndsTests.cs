using System.Globalization;
using System.Text;
using System.Text.Json;
using Colibri.Jsonl;

namespace Colibri.UnitTests.Jsonl;

/// <summary>Both ends of a line too long to keep, joined: what is read of it is what the whole line says, and nothing else.</summary>
public sealed class LineEndsTests
{
    private const int Limit = 64;

    [Test]
    [Arguments("""{"type":"agent_end","messages":["FILL"],"willRetry":true}""", """{"type":"agent_end","messages":[],"willRetry":true}""", 2)]
    [Arguments("""{"a":1,"text":"FILL","b":2,"c":{"d":[3]}}""", """{"a":1,"b":2,"c":{"d":[3]}}""", 1)]
    [Arguments("""{"m":{"role":"x","content":[{"text":"FILL"}],"usage":{"in":5}},"z":1}""", """{"m":{"role":"x","content":[{}],"usage":{"in":5}},"z":1}""", 4)]
    [Arguments("""{"text":"FILL","b":2}""", """{"b":2}""", 1)]
    [Arguments("""{"a":2,"text":"FILL"}""", """{"a":2}""", 1)]
    [Arguments("""{"text":"FILL"}""", """{}""", 1)]
    [Arguments("""{"a":[1,2,"FILL",3,[4]],"b":5}""", """{"a":[1,2,3,[4]],"b":5}""", 2)]
    [Arguments("""{"a":["x",{"n":"FILL"},"FILL",{"n":1}],"b":5}""", """{"a":["x",{},{"n":1}],"b":5}""", 2)]
    [Arguments("""{"a":{"b":"FILL"},"c":{"b":"FILL","d":1}}""", """{"a":{}}""", 1)]
    [Arguments("""{"a":{"b":"FILL"},"x":1,"c":{"b":"FILL","d":1},"e":2}""", """{"a":{},"e":2}""", 1)]
    [Arguments("""{"m":{"id":"i","c":[{"t":"x","d":"FILL"}]},"r":{"d":"FILL"},"e":2}""", """{"m":{"id":"i","c":[{"t":"x"}]},"e":2}""", 1)]
    [Arguments("""{"m":{"u":{"n":1},"c":"FILL"},"r":["FILL"]}""", """{"m":{"u":{"n":1}}}""", 1)]
    // What looks like a field is words in a string.
    [Arguments("""{"a":1,"text":"FILL\",\"willRetry\":true}"}""", """{"a":1}""", 1)]
    [Arguments("""{"a":1,"text":"FILL\\\",\"b\":[{\"willRetry\":true}","c":"}\\"}""", """{"a":1,"c":"}\\"}""", 1)]
    [Arguments("""{"a":1,"text":"FILL\\\\","c":"{\"x\":2,"}""", """{"a":1,"c":"{\"x\":2,"}""", 1)]
    [Arguments("""{ "a" : 1 , "text" : "FILL" , "b" : 2 } """, """{ "a" : 1 , "b" : 2 } """, 1)]
    public void Both_ends_are_one_line_that_lacks_items_of_one_container(string pattern, string joined, int level)
    {
        foreach (var filler in (string[])["x", "€", "\U0001F426", "\\\"", "\\\\", "\\u20ac", "}", "{", "]", "[", ",", "\\n", "\\\",\\\"is_error\\\":true"])
        {
            for (var more = 0; more < 16; more++)
            {
                var line = pattern.Replace("FILL", string.Concat(Enumerable.Repeat(filler, 300)) + new string('y', more), StringComparison.Ordinal);
                Join(Encoding.UTF8.GetBytes(line), 1 << 20).ShouldBe((true, joined, level), $"{filler} {more}");
            }
        }
    }

    [Test]
    [Arguments("""{"type":"x","text":"FILL""")]
    [Arguments("""{"type":"x","text":"FILL"]}""")]
    [Arguments("""{"type":"x","text":"FILL"}}""")]
    [Arguments("""{"type":"x","text":"FILL"}{"willRetry":true}""")]
    [Arguments("""{"type":"x","text":"FILL","b":}""")]
    [Arguments("""{"type":"x","text":"FILL","b":1""")]
    [Arguments("""{"type":"x","text":FILL,"willRetry":true}"}""")]
    [Arguments("""["FILL",{"willRetry":true}]""")]
    [Arguments("""FILL,"willRetry":true}""")]
    public void What_is_no_object_joins_to_nothing(string pattern)
    {
        var (isJoined, left, _) = Join(Encoding.UTF8.GetBytes(pattern.Replace("FILL", new string('x', 500), StringComparison.Ordinal)), 1 << 20);
        isJoined.ShouldBeFalse(left);
        left.ShouldNotContain("willRetry");
    }

    [Test]
    public void A_line_is_announced_at_the_limit_and_ends_at_its_newline_and_the_next_one_is_whole()
    {
        var framer = new LineFramer(Limit, keepsEnds: true);
        ReadOnlySpan<byte> input = Encoding.UTF8.GetBytes("{\"a\":1,\"t\":\"" + new string('x', 200));
        framer.TryRead(ref input, out var line, out var kind).ShouldBeTrue();
        (kind, line.Length, framer.IsInOversizeLine).ShouldBe((LineKind.Oversize, 0, true));
        framer.TryRead(ref input, out _, out _).ShouldBeFalse();
        input = "\"}\r\n{\"next\":1}\n"u8;
        framer.TryRead(ref input, out _, out kind).ShouldBeTrue();
        (kind, framer.IsInOversizeLine).ShouldBe((LineKind.Ends, false));
        framer.TryJoinEnds(out line, out var look).ShouldBeTrue();
        (Encoding.UTF8.GetString(line), look.CutLevel, look.Form).ShouldBe(("{\"a\":1}", 1, LineForm.Object));
        framer.TryRead(ref input, out line, out kind).ShouldBeTrue();
        (Encoding.UTF8.GetString(line), kind, framer.HoldsBuffer).ShouldBe(("{\"next\":1}", LineKind.Whole, false));
        framer.TryJoinEnds(out _, out _).ShouldBeFalse();
    }

    [Test]
    public void A_byte_order_mark_is_left_out_of_a_joined_line()
    {
        var line = Encoding.UTF8.GetBytes("\uFEFF{\"a\":1,\"t\":\"" + new string('x', 300) + "\",\"b\":2}");
        Join(line, 7).ShouldBe((true, """{"a":1,"b":2}""", 1));
    }

    [Test]
    public void The_buffer_goes_back_when_the_stream_ends_in_a_long_line()
    {
        var framer = new LineFramer(Limit, keepsEnds: true);
        ReadOnlySpan<byte> input = new byte[1000];
        while (framer.TryRead(ref input, out _, out _))
        {
        }
        framer.HoldsBuffer.ShouldBeTrue();
        framer.Complete(out _).ShouldBeFalse();
        (framer.HoldsBuffer, framer.IsInOversizeLine).ShouldBe((false, false));
    }

    [Test]
    public void A_long_line_allocates_nothing()
    {
        var framer = new LineFramer(1 << 20, keepsEnds: true);
        var bytes = Encoding.UTF8.GetBytes("{\"a\":1,\"t\":\"" + new string('x', 3 << 20) + "\",\"b\":2}\n");
        var first = Read(framer, bytes);
        // The thread's first return to the pool makes the thread's own part of it.
        framer.Reset();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var second = Read(framer, bytes);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        (first, second).ShouldBe((true, true));

        static bool Read(LineFramer framer, byte[] bytes)
        {
            ReadOnlySpan<byte> input = bytes;
            while (framer.TryRead(ref input, out _, out var kind))
                if (kind == LineKind.Ends) return framer.TryJoinEnds(out var line, out _) && line.SequenceEqual("{\"a\":1,\"b\":2}"u8);

            return false;
        }
    }

    [Test]
    public void Whatever_is_printed_and_wherever_it_is_cut_a_joined_line_says_what_the_whole_line_says()
    {
        var cut = 0;
        for (var seed = 0; seed < 1_500; seed++)
        {
            var random = new Random(seed);
            var text = Object(random, 0);
            var bytes = Encoding.UTF8.GetBytes(text);
            if (bytes.Length <= Limit) continue;
            var (isJoined, joined, level) = Join(bytes, seed % 3 == 0 ? 1 : random.Next(1, 200));
            isJoined.ShouldBeTrue($"seed {seed}: {text}");
            using var whole = JsonDocument.Parse(bytes);
            using var part = JsonDocument.Parse(joined);
            IsPart(part.RootElement, whole.RootElement, 1, level).ShouldBeTrue($"seed {seed}, level {level}:\n{text}\n{joined}");
            cut++;
        }

        cut.ShouldBeGreaterThan(500);
    }

    // Containers above that level are whole but for the one with the cut in it. The one at that level lacks items in its middle; before them
    // may be one that the head has begun, and which lacks its end.
    private static bool IsPart(JsonElement part, JsonElement whole, int level, int cutLevel)
    {
        if (JsonElement.DeepEquals(part, whole)) return true;
        if (!AreContainers(part, whole)) return false;
        var (left, right) = (Items(part), Items(whole));
        var first = Same(left, right);
        if (level < cutLevel)
            return left.Count == right.Count && first < left.Count && left[first].Name == right[first].Name
                && left.Skip(first + 1).Zip(right.Skip(first + 1)).All(pair => pair.First.Name == pair.Second.Name && JsonElement.DeepEquals(pair.First.Value, pair.Second.Value))
                && IsPart(left[first].Value, right[first].Value, level + 1, cutLevel);
        var last = 0;
        while (last < left.Count - first && left[^(last + 1)].Name == right[^(last + 1)].Name
            && JsonElement.DeepEquals(left[^(last + 1)].Value, right[^(last + 1)].Value)) last++;
        return first + last == left.Count || (first + last == left.Count - 1 && left[first].Name == right[first].Name && IsBegun(left[first].Value, right[first].Value));
    }

    private static bool IsBegun(JsonElement part, JsonElement whole)
    {
        if (JsonElement.DeepEquals(part, whole)) return true;
        if (!AreContainers(part, whole)) return false;
        var (left, right) = (Items(part), Items(whole));
        var first = Same(left, right);
        return first == left.Count || (first == left.Count - 1 && left[first].Name == right[first].Name && IsBegun(left[first].Value, right[first].Value));
    }

    private static bool AreContainers(JsonElement part, JsonElement whole) =>
        part.ValueKind == whole.ValueKind && part.ValueKind is JsonValueKind.Object or JsonValueKind.Array;

    private static int Same(List<(string Name, JsonElement Value)> left, List<(string Name, JsonElement Value)> right)
    {
        var first = 0;
        while (first < left.Count && first < right.Count && left[first].Name == right[first].Name && JsonElement.DeepEquals(left[first].Value, right[first].Value)) first++;
        return first;
    }

    private static List<(string Name, JsonElement Value)> Items(JsonElement container) => container.ValueKind == JsonValueKind.Object
        ? [.. container.EnumerateObject().Select(property => (property.Name, property.Value))]
        : [.. container.EnumerateArray().Select(item => ("", item))];

    private static string Object(Random random, int depth)
    {
        var properties = Enumerable.Range(0, random.Next(depth == 0 ? 3 : 0, 7)).Select(n => $"\"{(char)('a' + n)}{depth}\":{Value(random, depth + 1)}");
        return "{" + string.Join(random.Next(4) == 0 ? " , " : ",", properties) + "}";
    }

    private static string Value(Random random, int depth) => random.Next(depth > 5 ? 4 : 8) switch
    {
        0 => random.Next().ToString(CultureInfo.InvariantCulture),
        1 => (string[])["true", "false", "null", "-1.5e3"] is var words ? words[random.Next(4)] : "",
        2 or 3 => "\"" + string.Concat(Enumerable.Range(0, random.Next(random.Next(12) == 0 ? 300 : 12)).Select(_ => Piece(random))) + "\"",
        4 or 5 => Object(random, depth),
        _ => "[" + string.Join(',', Enumerable.Range(0, random.Next(0, 5)).Select(_ => Value(random, depth + 1))) + "]",
    };

    private static string Piece(Random random) =>
        ((string[])["x", "\\\"", "\\\\", "\\u00e9", "€", "\U0001F426", "{", "}", "[", "]", ",", ":", "\\\",\\\"a0\\\":1}", "\u2028"])[random.Next(14)];

    private static (bool IsJoined, string Line, int Level) Join(byte[] line, int chunkSize)
    {
        var framer = new LineFramer(Limit, keepsEnds: true);
        byte[] bytes = [.. line, (byte)'\n'];
        for (var at = 0; at < bytes.Length;)
        {
            var chunk = bytes.AsSpan(at, Math.Min(chunkSize, bytes.Length - at)).ToArray();
            at += chunk.Length;
            ReadOnlySpan<byte> input = chunk;
            while (framer.TryRead(ref input, out _, out var kind))
            {
                if (kind != LineKind.Ends) continue;
                var isJoined = framer.TryJoinEnds(out var joined, out var look);
                return (isJoined, Encoding.UTF8.GetString(joined), look.CutLevel);
            }
        }

        throw new ShouldAssertException("the line has no end");
    }
}

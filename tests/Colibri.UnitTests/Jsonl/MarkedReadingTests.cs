using System.Text;
using System.Text.Unicode;
using Colibri.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Jsonl;

/// <summary>What the form pass learns of a line, and what is read with it, held against plain loops and the exact reader.</summary>
public sealed class MarkedReadingTests
{
    private static readonly JsonFields Usage = new JsonFields("input", "output", "cost").With("cost", new("total"));
    private static readonly JsonFields Message = new JsonFields("role", "content", "usage", "stopReason").With("usage", Usage);
    private static readonly JsonFields Fields = new JsonFields("type", "id", "message", "toolName", "result", "isError", "").With("message", Message);

    [Test]
    public void Every_recorded_line_is_read_from_quote_to_quote()
    {
        foreach (var line in Recordings.AllLines().Where(line => JsonLine.IsWellFormedObject(line))) Compare(line).ShouldBeTrue(Show(line));
    }

    [Test]
    public void Mutated_lines_are_judged_marked_and_read_as_the_plain_loops_and_the_exact_reader_do()
    {
        var lines = Recordings.AllLines().Where(line => line.Length is > 2 and < 3000).ToArray();
        var random = new Random(1815);
        var (read, formed) = (0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            // The padding moves every byte through every place in a block of 64.
            var pad = Encoding.UTF8.GetBytes("{\"p\":\"" + new string('p', random.Next(70)) + "\",");
            var line = Mutations.Of([.. pad, .. lines[random.Next(lines.Length)].AsSpan(1)], random);
            if (Compare(line)) read++;
            else if (JsonLine.HasObjectForm(line)) formed++;
        }

        read.ShouldBeInRange(4_000, 16_000);
        formed.ShouldBeGreaterThan(500);
    }

    [Test]
    public void Random_pieces_are_judged_marked_and_read_as_the_plain_loops_and_the_exact_reader_do()
    {
        string[] pieces =
        [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\\\\", "\\\"", "\"id\"", "\"message\"", "\"usage\"", "\"\\u0069d\"", "\"role\":", "\\u00e9", "\\u00g", "\\ud83d",
            "1", "-0.5e9", "01", "true", "null", "nul", " ", "\t", "é", "🐦", "_", "y", "\u007f", new string('a', 61), new string(' ', 63),
        ];
        var random = new Random(64);
        var read = 0;
        for (var i = 0; i < 40_000; i++)
        {
            var text = new StringBuilder(i % 2 == 0 ? "{\"message\":" : "{\"" + new string('q', random.Next(64)) + "\":\"");
            for (var n = random.Next(1, 12); n > 0; n--) text.Append(pieces[random.Next(pieces.Length)]);
            if (Compare(Encoding.UTF8.GetBytes(text.Append(i % 2 == 0 ? "}" : "\"}").ToString()))) read++;
        }

        read.ShouldBeGreaterThan(1_000);
    }

    [Test]
    public void A_long_escape_is_judged_wherever_a_block_cuts_it()
    {
        for (var before = 0; before < 130; before++)
        {
            var pad = new string('p', before);
            Compare(Encoding.UTF8.GetBytes("{\"" + pad + "\\u00e9\":1,\"id\":\"\\u0069\"}")).ShouldBeTrue($"{before} bytes before");
            foreach (var broken in new[] { "\\u00g9", "\\u00", "\\u" })
                JsonLine.HasObjectForm(Encoding.UTF8.GetBytes("{\"" + pad + broken + "\":1}")).ShouldBeFalse($"{before} bytes before {broken}");
        }
    }

    [Test]
    public void A_line_beyond_the_room_for_marks_is_read_without_them()
    {
        const int Reach = LineLook.MarkWords * 64;
        for (var length = Reach - 3; length < Reach + 3; length++)
        {
            var line = Encoding.UTF8.GetBytes("{\"id\":\"\",\"x\":\"" + new string('x', length - 27) + "\",\"type\":3}");
            JsonLine.HasObjectForm(line, new ulong[LineLook.MarkWords], out var look).ShouldBeTrue();
            look.IsMarked.ShouldBe(line.Length < Reach);
            var values = new JsonValue[Fields.Count];
            Fields.TryRead(line, look, values).ShouldBeTrue();
            values[0].Int64OrZero(line).ShouldBe(3);
        }
    }

    // Whether it was read from quote to quote.
    private static bool Compare(byte[] line)
    {
        if (JsonLine.HasObjectForm(line) != HasForm(line)) throw new ShouldAssertException(Show(line));

        // As it comes out of a chunk: with another line behind it.
        Span<ulong> marks = new ulong[LineLook.MarkWords];
        var look = new LineLook([.. line, (byte)'\n', .. "{\"a\":\"b\\n\"}\n"u8], marks, out var length);
        if (!look.IsMarked || length != line.Length) return false;
        if (!Strings(line).SequenceEqual(Marked(marks, line.Length))) throw new ShouldAssertException(Show(line));

        var values = new JsonValue[Fields.Count];
        var expected = new JsonValue[Fields.Count];
        var wellFormed = Fields.TryRead(line, expected);
        if (Fields.TryRead(line, look, values) != wellFormed || !values.SequenceEqual(expected)) throw new ShouldAssertException(Show(line));

        Array.Clear(values);
        var read = new FieldWalk(line, look).TryRead(Fields, values);
        if (read != wellFormed || (read && !values.SequenceEqual(expected))) throw new ShouldAssertException(Show(line));
        return read;
    }

    private static List<int> Marked(ReadOnlySpan<ulong> marks, int length)
    {
        var places = new List<int>();
        for (var at = 0; at <= length; at++)
            if ((marks[at / 64] >> (at % 64) & 1) != 0) places.Add(at);

        return places;
    }

    private static List<int> Strings(byte[] line)
    {
        var places = new List<int>();
        for (var at = 0; at < line.Length; at++)
        {
            if (line[at] == '\\') at++;
            else if (line[at] == '"') places.Add(at);
        }

        return places;
    }

    // JsonLine.HasObjectForm, byte by byte.
    private static bool HasForm(byte[] line)
    {
        const int MaxDepth = 62;
        if (line is not [(byte)'{', .., (byte)'}'] || line.Any(b => b < 0x20)) return JsonLine.IsWellFormedObject(line);
        var closers = new Stack<byte>();
        var (inside, deepest) = (false, 0);
        for (var at = 0; at < line.Length; at++)
        {
            var b = line[at];
            if (b == '"')
            {
                inside = !inside;
            }
            else if (inside && b == '\\')
            {
                var escape = JsonScan.EscapeLength(line, at + 1);
                if (escape == 0) return false;
                at += escape;
            }
            else if (!inside)
            {
                if (b is (byte)'\\' or (byte)'_' or (byte)'y' or (byte)'Y' or 0x7F) return false;
                if (b is (byte)'{' or (byte)'[') closers.Push((byte)(b + 2));
                if (b is (byte)'}' or (byte)']' && (!closers.TryPop(out var closer) || closer != b)) return false;
                if (closers.Count == 0 && at < line.Length - 1) return false;
                deepest = Math.Max(deepest, closers.Count);
            }
        }

        if (deepest >= MaxDepth) return JsonLine.IsWellFormedObject(line);
        return !inside && closers.Count == 0 && Utf8.IsValid(line);
    }

    private static string Show(byte[] line) => Encoding.UTF8.GetString(line.AsSpan(0, Math.Min(line.Length, 2000)));
}

using System.Text;
using Colibri.Jsonl;

namespace Colibri.UnitTests.Jsonl;

public sealed class JsonLineReaderTests
{
    private static readonly JsonFields Fields = new("type", "n", "");

    [Test]
    public void Properties_come_in_order_and_what_is_not_entered_is_passed_over()
    {
        var line = """ { "a" : 1 , "b":{"x":[1,{"y":2}],"z":null}, "c":[true,false], "d":"s" } """u8;
        var reader = new JsonLineReader(line);
        reader.EnterObject().ShouldBeTrue();
        var seen = new List<string>();
        while (reader.NextProperty())
        {
            var name = reader.Name.GetString(line)!;
            if (reader.NameEquals("c"u8))
            {
                reader.EnterArray().ShouldBeTrue();
                while (reader.NextElement()) name += "," + reader.Value.Kind;
            }

            seen.Add(name + ":" + reader.Value.Kind);
        }

        seen.ShouldBe(["a:Number", "b:Object", "c,True,False:False", "d:String"]);
        reader.Finish().ShouldBeTrue();
    }

    [Test]
    public void A_skipped_container_is_known_in_full()
    {
        var line = """{"a":{"b":[1,2,{"c":"}"}]},"d":1}"""u8;
        var reader = new JsonLineReader(line);
        reader.EnterObject();
        reader.NextProperty().ShouldBeTrue();
        reader.Skip().ShouldBeTrue();
        Encoding.UTF8.GetString(reader.Value.Raw(line)).ShouldBe("""{"b":[1,2,{"c":"}"}]}""");
        reader.NameEquals("a"u8).ShouldBeTrue();
        reader.NextProperty().ShouldBeTrue();
        reader.NameEquals("d"u8).ShouldBeTrue();
    }

    [Test]
    [Arguments("""{"type":"a\"b\\c\/d\b\f\n\r\t"}""", "a\"b\\c/d\b\f\n\r\t")]
    [Arguments("""{"type":"\u0041\u00e9\u20AC\uD83D\uDC26"}""", "Aé€🐦")]
    [Arguments("""{"type":"\ud800 \udc26\ud83d\ud83d\udc26 \ud83d\n"}""", "\uFFFD \uFFFD\uFFFD🐦 \uFFFD\n")]
    [Arguments("""{"type":"\u0000\u0001"}""", "\0\u0001")]
    [Arguments("{\"type\":\"a\u2028b🐦\u007f\"}", "a\u2028b🐦\u007f")]
    public void Escapes_decode_and_a_lone_surrogate_becomes_the_replacement_character(string json, string expected)
    {
        TryRead(json, out var line, out var values).ShouldBeTrue();
        values[0].GetString(line).ShouldBe(expected);
        JsonLine.HasObjectForm(line).ShouldBeTrue();
    }

    [Test]
    public void A_name_may_be_escaped_and_may_be_empty()
    {
        TryRead("""{"\u0074yp\u0065":"x","":7}""", out var line, out var values).ShouldBeTrue();
        values[0].StringEquals(line, "x"u8).ShouldBeTrue();
        values[2].Int64OrZero(line).ShouldBe(7);
    }

    [Test]
    public void Of_duplicate_names_the_first_wins()
    {
        TryRead("""{"n":1,"n":2,"type":"a","\u0074ype":"b"}""", out var line, out var values).ShouldBeTrue();
        values[1].Int64OrZero(line).ShouldBe(1);
        values[0].GetString(line).ShouldBe("a");
    }

    [Test]
    [Arguments("9223372036854775807", true, long.MaxValue)]
    [Arguments("-9223372036854775808", true, long.MinValue)]
    [Arguments("9223372036854775808", false, 0)]
    [Arguments("99999999999999999999999999999999999999", false, 0)]
    [Arguments("1e400", false, 0)]
    [Arguments("1.0", false, 0)]
    [Arguments("-0", true, 0)]
    public void A_number_that_fits_no_integer_is_well_formed_and_has_no_value(string number, bool fits, long expected)
    {
        TryRead($$"""{"n":{{number}}}""", out var line, out var values).ShouldBeTrue();
        values[1].Kind.ShouldBe(ValueKind.Number);
        values[1].TryGetInt64(line, out var value).ShouldBe(fits);
        if (fits) value.ShouldBe(expected);
        values[1].Int64OrZero(line).ShouldBe(expected);
    }

    [Test]
    [Arguments("")]
    [Arguments("x")]
    [Arguments("[]")]
    [Arguments("\"{}\"")]
    [Arguments("12")]
    [Arguments("{}}")]
    [Arguments("{}{}")]
    [Arguments("{} x")]
    [Arguments("{\"a\":1,}")]
    [Arguments("{,}")]
    [Arguments("{\"a\"}")]
    [Arguments("{\"a\":}")]
    [Arguments("{\"a\" 1}")]
    [Arguments("{\"a\":1 \"b\":2}")]
    [Arguments("{a:1}")]
    [Arguments("{'a':1}")]
    [Arguments("{\"a\":[1,]}")]
    [Arguments("{\"a\":[1}")]
    [Arguments("{\"a\":[1}]")]
    [Arguments("{\"a\":tru}")]
    [Arguments("{\"a\":truex}")]
    [Arguments("{\"a\":01}")]
    [Arguments("{\"a\":+1}")]
    [Arguments("{\"a\":.1}")]
    [Arguments("{\"a\":1.}")]
    [Arguments("{\"a\":1e}")]
    [Arguments("{\"a\":--1}")]
    [Arguments("{\"a\":NaN}")]
    [Arguments("{\"a\":\"\\x\"}")]
    [Arguments("{\"a\":\"\\u12g4\"}")]
    [Arguments("{\"a\":\"\\u123\"}")]
    [Arguments("{\"a\":\"\\")]
    [Arguments("{\"a\":\"\0\"}")]
    [Arguments("{\"a\":\"\t\"}")]
    [Arguments("{\"a\":\"\u001f\"}")]
    [Arguments("{\"a\":\0}")]
    [Arguments("{\"a\":1")]
    [Arguments("{\"a")]
    [Arguments("{")]
    [Arguments("\uFEFF{}")]
    [Arguments("{\"a\":1}\0")]
    [Arguments("{\f}")]
    public void A_malformed_line_is_malformed(string text)
    {
        TryRead(text, out var line, out _).ShouldBeFalse();
        JsonLine.IsWellFormedObject(line).ShouldBeFalse();
        new JsonLineReader(line).Finish().ShouldBe(text is "[]" or "\"{}\"" or "12");
    }

    [Test]
    [Arguments("22C3 28")]
    [Arguments("22C322")]
    [Arguments("22EDA08022")]
    [Arguments("22C0AF22")]
    [Arguments("22F490808022")]
    [Arguments("22FF22")]
    public void Invalid_utf8_is_malformed(string hex)
    {
        byte[] line = [.. "{\"a\":"u8, .. Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), (byte)'}'];
        JsonLine.IsWellFormedObject(line).ShouldBeFalse();
        JsonLine.HasObjectForm(line).ShouldBeFalse();
    }

    [Test]
    [Arguments(64, true)]
    [Arguments(65, true)]
    [Arguments(512, true)]
    [Arguments(513, false)]
    [Arguments(200_000, false)]
    public void Nesting_is_read_to_512_levels(int depth, bool wellFormed)
    {
        foreach (var mixed in new[] { true, false })
        {
            var open = string.Concat(Enumerable.Range(1, depth).Select(level => Bracket(level, "{\"a\":", "[")));
            var close = string.Concat(Enumerable.Range(1, depth).Reverse().Select(level => Bracket(level, "}", "]")));
            var line = Encoding.UTF8.GetBytes(open + "1" + close);
            JsonLine.IsWellFormedObject(line).ShouldBe(wellFormed);
            JsonLine.HasObjectForm(line).ShouldBe(wellFormed);

            string Bracket(int level, string ofObject, string ofArray) => level == 1 || (mixed && level % 3 == 0) ? ofObject : ofArray;
        }
    }

    [Test]
    public void What_came_before_a_fault_has_been_read()
    {
        TryRead("""{"type":"agent_end","n":5,"messages":[{"ro""", out var line, out var values).ShouldBeFalse();
        values[0].GetString(line).ShouldBe("agent_end");
        values[1].Int64OrZero(line).ShouldBe(5);
    }

    [Test]
    public void After_a_fault_everything_answers_false()
    {
        var reader = new JsonLineReader("""{"a":1 oops,"b":2}"""u8);
        reader.EnterObject().ShouldBeTrue();
        reader.NextProperty().ShouldBeTrue();
        reader.NextProperty().ShouldBeFalse();
        reader.IsMalformed.ShouldBeTrue();
        reader.NextProperty().ShouldBeFalse();
        reader.EnterObject().ShouldBeFalse();
        reader.Skip().ShouldBeFalse();
        reader.Finish().ShouldBeFalse();
    }

    [Test]
    public void Elements_are_whole_and_a_nested_object_keeps_the_offsets_of_its_line()
    {
        var fields = new JsonFields("content");
        Span<JsonValue> values = stackalloc JsonValue[3];
        var line = """{"x":0,"content":[{"type":"t","n":3},[1,[2]],"s",{}]}"""u8;
        fields.TryRead(line, values).ShouldBeTrue();
        var elements = new JsonElements(line, values[0]);
        var raw = new List<string>();
        while (elements.Next())
        {
            raw.Add(Encoding.UTF8.GetString(elements.Current.Raw(line)));
            if (raw.Count > 1) continue;
            Fields.TryRead(line, elements.Current, values).ShouldBeTrue();
            values[0].GetString(line).ShouldBe("t");
            values[1].Int64OrZero(line).ShouldBe(3);
        }

        raw.ShouldBe(["""{"type":"t","n":3}""", "[1,[2]]", "s", "{}"]);
        new JsonElements(line, default).Next().ShouldBeFalse();
    }

    [Test]
    [Arguments(@"plain text", 5, "plain")]
    [Arguments(@"ab\ncd", 3, "ab")]
    [Arguments(@"ab\ncd", 4, "ab\n")]
    [Arguments(@"ab\\ncd", 4, @"ab\")]
    [Arguments(@"ab\\ncd", 5, @"ab\n")]
    [Arguments(@"a\u0041b", 5, "a")]
    [Arguments(@"a\u0041b", 7, "aA")]
    [Arguments("a🐦b", 4, "a")]
    [Arguments("a🐦b", 5, "a🐦")]
    public void A_cut_splits_neither_an_escape_nor_a_character(string escaped, int maxBytes, string expected) =>
        JsonText.ToString(JsonText.Cut(Encoding.UTF8.GetBytes(escaped), maxBytes), hasEscapes: true).ShouldBe(expected);

    private static bool TryRead(string json, out byte[] line, out JsonValue[] values)
    {
        line = Encoding.UTF8.GetBytes(json);
        values = new JsonValue[Fields.Count];
        return Fields.TryRead(line, values);
    }
}

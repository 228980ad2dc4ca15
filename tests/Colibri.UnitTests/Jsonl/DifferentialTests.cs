using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Colibri.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Jsonl;

/// <summary>Held against System.Text.Json, which is strict where RFC 8259 is, except that it looks at UTF-8 only when a string is decoded.</summary>
public sealed class DifferentialTests
{
    private static readonly JsonFields Fields = new("type", "id", "success", "message", "usage", "toolName", "isError", "willRetry");
    private static readonly string[] FieldNames = ["type", "id", "success", "message", "usage", "toolName", "isError", "willRetry"];

    [Test]
    public void Every_recorded_line_is_read_the_same()
    {
        foreach (var line in Recordings.AllLines()) Compare(line);
    }

    [Test]
    public void Mutated_lines_are_judged_and_read_the_same()
    {
        var lines = Recordings.AllLines().Where(l => l.Length < 3000).ToArray();
        var random = new Random(1974);
        var wellFormed = 0;
        for (var i = 0; i < 12_000; i++)
        {
            if (Compare(Mutations.Of(lines[random.Next(lines.Length)], random))) wellFormed++;
        }

        wellFormed.ShouldBeInRange(1_500, 10_500);
    }

    [Test]
    public void Random_json_out_of_its_own_alphabet_is_judged_the_same()
    {
        var tokens = new[] { "{", "}", "[", "]", ":", ",", "\"", "\\", "\"a\"", "\"type\"", "\\u00e9", "\\ud83d", "1", "-", "0", ".5", "e9", "true", "null", " ", "\t", "é", "x" };
        var random = new Random(9);
        var wellFormed = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder(i % 3 == 0 ? "" : "{\"type\":");
            for (var n = random.Next(1, 9); n > 0; n--) text.Append(tokens[random.Next(tokens.Length)]);
            if (i % 3 != 0) text.Append('}');
            if (Compare(Encoding.UTF8.GetBytes(text.ToString()))) wellFormed++;
        }

        wellFormed.ShouldBeGreaterThan(300);
    }

    private static bool Compare(byte[] line)
    {
        var expected = Utf8.IsValid(line) && IsWellFormed(line, out var root) && root == JsonTokenType.StartObject;
        var values = new JsonValue[Fields.Count];
        Check(Fields.TryRead(line, values) == expected, line);
        Check(JsonLine.IsWellFormedObject(line) == expected, line);
        if (!expected) return false;
        Check(JsonLine.HasObjectForm(line), line);

        using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = JsonLineReader.MaxDepth });
        for (var i = 0; i < FieldNames.Length; i++)
        {
            var name = FieldNames[i];
            var property = document.RootElement.EnumerateObject().FirstOrDefault(p => NameOf(p) == name);
            if (property.Value.ValueKind == JsonValueKind.Undefined) Check(!values[i].Exists, line);
            else CompareValue(line, values[i], property.Value);
        }

        return true;
    }

    private static void CompareValue(byte[] line, JsonValue value, JsonElement expected)
    {
        value.Kind.ToString().ShouldBe(expected.ValueKind.ToString());
        switch (expected.ValueKind)
        {
            case JsonValueKind.String:
                if (TryGetString(expected) is { } text) Check(value.GetString(line) == text, line);
                break;
            case JsonValueKind.Number:
                value.TryGetInt64(line, out var number).ShouldBe(expected.TryGetInt64(out var expectedNumber));
                number.ShouldBe(expectedNumber);
                break;
            default:
                Encoding.UTF8.GetString(value.Raw(line)).ShouldBe(expected.GetRawText());
                break;
        }
    }

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    // A lone surrogate is where the two part: decoding it throws there and gives U+FFFD here.
    private static string? TryGetString(JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsWellFormed(byte[] line, out JsonTokenType root)
    {
        root = JsonTokenType.None;
        var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = JsonLineReader.MaxDepth });
        try
        {
            while (reader.Read())
                if (root == JsonTokenType.None) root = reader.TokenType;

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void Check(bool agrees, byte[] line)
    {
        if (!agrees) throw new ShouldAssertException(Show(line));
    }

    private static string Show(byte[] line) => Encoding.Latin1.GetString(line.AsSpan(0, Math.Min(line.Length, 2000)));
}

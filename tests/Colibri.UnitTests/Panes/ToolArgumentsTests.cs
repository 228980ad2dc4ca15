using System.Text;
using System.Text.Json;
using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Jsonl;
using Colibri.UnitTests.Providers;

namespace Colibri.UnitTests.Panes;

public sealed class ToolArgumentsTests
{
    private const string Key = "sk-ant-api03-Zq8vR2mWx7LbT4nKc9Jd5Hf6Gs3Pa1Uy0EiOo";

    [Test]
    [Arguments("""{ "command" : "echo hi", "timeout": 1.50e3 , "deep":[{"a":null},true,[]] }""", """{"command":"echo hi","timeout":1.50e3,"deep":[{"a":null},true,[]]}""")]
    [Arguments("""{"content":"a\nb\t\"c\" \u003cé\u003e \/x"}""", """{"content":"a\nb\t\"c\" <é> /x"}""")]
    [Arguments("\"ls -la \\u003e out\"", "ls -la > out")]
    [Arguments("[]", "[]")]
    [Arguments("null", "")]
    [Arguments("12", "12")]
    [Arguments("true", "true")]
    public void Arguments_are_json_without_blanks_or_a_decoded_command_line(string json, string text) => Of(json).ShouldBe(text);

    [Test]
    public void A_surrogate_without_its_other_half_loses_nothing_else() =>
        Of("""{"command":"echo \ud800 hi"}""").ShouldBe("{\"command\":\"echo \ufffd hi\"}");

    [Test]
    public void A_key_is_redacted_whatever_escapes_stand_in_it()
    {
        var secrets = Keys.Of(Key);
        foreach (var json in (string[])
        [
            $$"""{"command":"curl -H 'x-api-key: {{Key}}'"}""",
            $$$"""{"a":{"b":["{{{Key[..20]}}}\u001b[31m{{{Key[20..]}}}"]}}""",
            $$"""{"{{Key}}":1}""",
            $$"""{"b":"\u0073{{Key[1..]}}"}""",
            $$"""{"b":"{{Key[..9]}}\n{{Key[9..]}}"}""",
        ])
        {
            var text = Of(json, secrets);
            text.ShouldHoldNoPartOf(Key, json);
            JsonElement.Parse(text).ValueKind.ShouldBe(JsonValueKind.Object);
        }
    }

    [Test]
    public void What_is_cut_is_words_and_no_json()
    {
        var line = """{"args":{"command":"echo \"hi\"","more":"""u8;
        ToolArguments.Of(line, new JsonValue(ValueKind.Object, HasEscapes: false, 8, line.Length - 8), Secrets.None).ShouldBe("""{"command":"echo "hi"","more":""");
    }

    [Test]
    public void Five_hundred_levels_are_read()
    {
        var deep = new string('[', 500) + new string(']', 500);
        Of(deep).ShouldBe(deep);
    }

    private static string Of(string json, Secrets? secrets = null)
    {
        var line = Encoding.UTF8.GetBytes("{\"args\":" + json + "}");
        Span<JsonValue> value = stackalloc JsonValue[1];
        new JsonFields("args").TryRead(line, value).ShouldBeTrue();
        return ToolArguments.Of(line, value[0], secrets ?? Secrets.None);
    }
}

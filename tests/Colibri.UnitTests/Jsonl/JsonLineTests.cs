using System.Text;
using Colibri.Jsonl;

namespace Colibri.UnitTests.Jsonl;

public sealed class JsonLineTests
{
    [Test]
    [Arguments("{\"type\":\"agent_end\",\"x\":", "agent_end")]
    [Arguments("{\"type\":\"\"}", "")]
    [Arguments("{\"type\":\"a", null)]
    [Arguments("{\"type\":\"a\\n\"}", null)]
    [Arguments("{\"type\":\"a\u0001\"}", null)]
    [Arguments("{\"type\":7}", null)]
    [Arguments("{ \"type\":\"a\"}", null)]
    [Arguments("{\"id\":\"1\",\"type\":\"a\"}", null)]
    [Arguments("", null)]
    public void A_first_type_is_read_without_the_rest(string text, string? expected)
    {
        JsonLine.TryReadFirstType(Encoding.UTF8.GetBytes(text), out var type).ShouldBe(expected is not null);
        Encoding.UTF8.GetString(type).ShouldBe(expected ?? "");
    }

    [Test]
    [Arguments("{\"a\":\"open}")]
    [Arguments("{\"a\":1}{\"b\":2}")]
    [Arguments("{\"a\":1}}")]
    [Arguments("{\"a\":[1}}")]
    [Arguments("{\"a\":[{]}}")]
    [Arguments("{\"a\":[1,2}")]
    [Arguments("{\"a\":\"\t\"}")]
    [Arguments("{\"a\":\"\0\"}")]
    [Arguments("{\"a\":\"\\x\"}")]
    [Arguments("{\"a\":\"\\u12\"}")]
    [Arguments("{\"a\":\"\\\"}")]
    [Arguments("{\"a\\\":\"b\"}")]
    [Arguments("{\\\"a\":1}")]
    [Arguments("{\"a\":1\u0001}")]
    [Arguments("x{}")]
    [Arguments("{} x")]
    [Arguments("[{}]")]
    [Arguments("}")]
    [Arguments("")]
    public void A_line_without_the_form_of_an_object_is_caught_wherever_the_fault_lies(string fault)
    {
        JsonLine.HasObjectForm(Encoding.UTF8.GetBytes(fault)).ShouldBeFalse();
        if (!fault.StartsWith('{') || fault.Length < 3) return;
        for (var before = 0; before < 130; before++)
        {
            var line = Encoding.UTF8.GetBytes("{\"pad\":\"" + new string('p', before) + "\"," + fault[1..]);
            JsonLine.HasObjectForm(line).ShouldBeFalse($"{before} bytes before");
        }
    }

    [Test]
    [Arguments("{\"a\" 1}")]
    [Arguments("{\"a\":1 \"b\":2}")]
    [Arguments("{\"a\":tru}")]
    [Arguments("{\"a\":01}")]
    [Arguments("{a:1}")]
    [Arguments("{,}")]
    public void A_fault_between_strings_and_brackets_is_not_seen_in_the_form(string text)
    {
        JsonLine.HasObjectForm(Encoding.UTF8.GetBytes(text)).ShouldBeTrue();
        JsonLine.IsWellFormedObject(Encoding.UTF8.GetBytes(text)).ShouldBeFalse();
    }

    [Test]
    public void White_space_between_tokens_keeps_the_form() =>
        JsonLine.HasObjectForm("\t{ \"a\"\t: [ 1 ,\r 2 ] } \r"u8).ShouldBeTrue();

    [Test]
    public void Runs_of_backslashes_are_followed_across_every_block_boundary()
    {
        for (var before = 0; before < 70; before++)
        {
            for (var run = 0; run < 70; run++)
            {
                var text = "{\"" + new string('a', before) + "\":\"" + new string('\\', run) + "\"}";
                JsonLine.HasObjectForm(Encoding.UTF8.GetBytes(text)).ShouldBe(run % 2 == 0, $"{before} before, {run} backslashes");
            }
        }
    }

    [Test]
    public void Every_recorded_line_cut_short_anywhere_has_lost_the_form()
    {
        foreach (var line in Recordings.Lines("pi-1.5.2-json-tool").Take(30))
            for (var length = 0; length < line.Length; length++)
                JsonLine.HasObjectForm(line.AsSpan(0, length)).ShouldBeFalse();
    }
}

using System.Text;
using Colibri.Jsonl;

namespace Colibri.UnitTests.Jsonl;

public sealed class JsonLineTests
{
    [Theory]
    [InlineData("{\"type\":\"agent_end\",\"x\":", "agent_end")]
    [InlineData("{\"type\":\"\"}", "")]
    [InlineData("{\"type\":\"a", null)]
    [InlineData("{\"type\":\"a\\n\"}", null)]
    [InlineData("{\"type\":\"a\u0001\"}", null)]
    [InlineData("{\"type\":7}", null)]
    [InlineData("{ \"type\":\"a\"}", null)]
    [InlineData("{\"id\":\"1\",\"type\":\"a\"}", null)]
    [InlineData("", null)]
    public void A_first_type_is_read_without_the_rest(string text, string? expected)
    {
        JsonLine.TryReadFirstType(Encoding.UTF8.GetBytes(text), out var type).ShouldBe(expected is not null);
        Encoding.UTF8.GetString(type).ShouldBe(expected ?? "");
    }

    [Theory]
    [InlineData("{\"a\":\"open}")]
    [InlineData("{\"a\":1}{\"b\":2}")]
    [InlineData("{\"a\":1}}")]
    [InlineData("{\"a\":[1}}")]
    [InlineData("{\"a\":[{]}}")]
    [InlineData("{\"a\":[1,2}")]
    [InlineData("{\"a\":\"\t\"}")]
    [InlineData("{\"a\":\"\0\"}")]
    [InlineData("{\"a\":\"\\x\"}")]
    [InlineData("{\"a\":\"\\u12\"}")]
    [InlineData("{\"a\":\"\\\"}")]
    [InlineData("{\"a\\\":\"b\"}")]
    [InlineData("{\\\"a\":1}")]
    [InlineData("{\"a\":1\u0001}")]
    [InlineData("x{}")]
    [InlineData("{} x")]
    [InlineData("[{}]")]
    [InlineData("}")]
    [InlineData("")]
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

    [Theory]
    [InlineData("{\"a\" 1}")]
    [InlineData("{\"a\":1 \"b\":2}")]
    [InlineData("{\"a\":tru}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{a:1}")]
    [InlineData("{,}")]
    public void A_fault_between_strings_and_brackets_is_not_seen_in_the_form(string text)
    {
        JsonLine.HasObjectForm(Encoding.UTF8.GetBytes(text)).ShouldBeTrue();
        JsonLine.IsWellFormedObject(Encoding.UTF8.GetBytes(text)).ShouldBeFalse();
    }

    [Fact]
    public void White_space_between_tokens_keeps_the_form() =>
        JsonLine.HasObjectForm("\t{ \"a\"\t: [ 1 ,\r 2 ] } \r"u8).ShouldBeTrue();

    [Fact]
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

    [Fact]
    public void Every_recorded_line_cut_short_anywhere_has_lost_the_form()
    {
        foreach (var line in Recordings.Lines("pi-1.5.2-json-tool").Take(30))
            for (var length = 0; length < line.Length; length++)
                JsonLine.HasObjectForm(line.AsSpan(0, length)).ShouldBeFalse();
    }
}

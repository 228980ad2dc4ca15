using System.Text;
using System.Text.Json;
using Colibri.Daemon.Commands;
using Colibri.Daemon.Server;

namespace Colibri.UnitTests.Daemon;

public sealed class RequestEnvelopeTests
{
    [Theory]
    [InlineData("""{"cmd":"ping"}""", "ping", "")]
    [InlineData("""{"cmd":"status","id":7}""", "status", "7")]
    [InlineData("""{"id":-1.50e+300,"cmd":"status"}""", "status", "-1.50e+300")]
    [InlineData("""{ "id" : "a" , "cmd" : "ping" }""", "ping", "\"a\"")]
    [InlineData("""{"id":"q\"\\\u00e9\n é","cmd":"ping"}""", "ping", "\"q\\\"\\\\\\u00e9\\n é\"")]
    [InlineData("""{"id":"","cmd":"ping"}""", "ping", "\"\"")]
    [InlineData("""{"id":null,"cmd":"ping"}""", "ping", "")]
    [InlineData("""{"id":1,"cmd":"a","id":2,"cmd":"b"}""", "b", "2")]
    [InlineData("""{"entry":{"cmd":"inner","id":9},"list":[{"id":8}],"cmd":"outer"}""", "outer", "")]
    [InlineData("""{"c\u006dd":"ping","\u0069d":3}""", "ping", "3")]
    [InlineData("""{"cmd":"p\u0069ng"}""", "ping", "")]
    [InlineData("{}", null, "")]
    [InlineData("""{"cmd":7,"id":1}""", null, "1")]
    [InlineData("""{"cmd":{"cmd":"ping"}}""", null, "")]
    [InlineData("""{"cmd":null}""", null, "")]
    public void The_command_is_read_and_the_id_kept_as_it_was_written(string line, string? command, string id)
    {
        var envelope = RequestEnvelope.Read(Encoding.UTF8.GetBytes(line));
        envelope.Command.ShouldBe(command);
        Encoding.UTF8.GetString(envelope.Id).ShouldBe(id);
        envelope.IdIsInvalid.ShouldBeFalse();
    }

    [Theory]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("[1]")]
    public void An_id_that_is_neither_string_nor_number_is_told_apart(string id) =>
        RequestEnvelope.Read(Encoding.UTF8.GetBytes($"{{\"id\":{id},\"cmd\":\"ping\"}}")).IdIsInvalid.ShouldBeTrue();

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("ping")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("""["ping"]""")]
    [InlineData("""{"cmd":"ping"}x""")]
    [InlineData("""{"cmd":"ping"}{"cmd":"ping"}""")]
    [InlineData("""{"cmd":"ping"},""")]
    [InlineData("""{"cmd":"ping",}""")]
    [InlineData("""{"cmd":"ping" """)]
    [InlineData("""{"cmd":"pi""")]
    [InlineData("""{'cmd':'ping'}""")]
    [InlineData("{\"cmd\":\"pi\tng\"}")]
    [InlineData("""{"id":01,"cmd":"ping"}""")]
    public void A_line_that_is_not_one_object_is_bad_json(string line) => ShouldBeBadJson(Encoding.UTF8.GetBytes(line));

    [Theory]
    [InlineData("""{"cmd":"\ud800"}""")]
    [InlineData("""{"cmd":"pin\udc00"}""")]
    [InlineData("""{"\ud8":"ping"}""")]
    public void Half_a_surrogate_pair_in_the_command_is_bad_json(string line) => ShouldBeBadJson(Encoding.UTF8.GetBytes(line));

    [Fact]
    public void Bytes_that_are_no_UTF_8_in_the_command_are_bad_json() => ShouldBeBadJson([.. "{\"cmd\":\"p"u8, 0xff, .. "ng\"}"u8]);

    [Theory]
    [InlineData("""{"c\ud800d":1,"cmd":"ping"}""")]
    [InlineData("""{"\ud800":1,"cmd":"ping"}""")]
    public void Half_a_surrogate_pair_in_a_name_never_ends_the_connection(string line) => Parse(Encoding.UTF8.GetBytes(line));

    [Fact]
    public void Nesting_without_end_is_bad_json() =>
        ShouldBeBadJson(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 100_000)));

    private static ParsedRequest Parse(byte[] line) => ParsedRequest.Parse(line, new CommandTable([]));

    private static void ShouldBeBadJson(byte[] line)
    {
        var parsed = Parse(line);
        parsed.Failure.ShouldNotBeNull();
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        parsed.Failure.WriteLine(output, parsed.Id);
        Encoding.UTF8.GetString(output.WrittenSpan)
            .ShouldBe("{\"ok\":false,\"error\":{\"code\":\"bad-json\",\"message\":\"the line is not one JSON object\"}}\n");
    }
}

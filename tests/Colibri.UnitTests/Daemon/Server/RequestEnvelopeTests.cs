using System.Text;
using System.Text.Json;
using Colibri.Daemon.Server;

namespace Colibri.UnitTests.Daemon.Server;

public sealed class RequestEnvelopeTests
{
    [Test]
    [Arguments("""{"cmd":"ping"}""", "ping", "")]
    [Arguments("""{"cmd":"status","id":7}""", "status", "7")]
    [Arguments("""{"id":-1.50e+300,"cmd":"status"}""", "status", "-1.50e+300")]
    [Arguments("""{ "id" : "a" , "cmd" : "ping" }""", "ping", "\"a\"")]
    [Arguments("""{"id":"q\"\\\u00e9\n é","cmd":"ping"}""", "ping", "\"q\\\"\\\\\\u00e9\\n é\"")]
    [Arguments("""{"id":"","cmd":"ping"}""", "ping", "\"\"")]
    [Arguments("""{"id":null,"cmd":"ping"}""", "ping", "")]
    [Arguments("""{"id":1,"cmd":"a","id":2,"cmd":"b"}""", "b", "2")]
    [Arguments("""{"entry":{"cmd":"inner","id":9},"list":[{"id":8}],"cmd":"outer"}""", "outer", "")]
    [Arguments("""{"c\u006dd":"ping","\u0069d":3}""", "ping", "3")]
    [Arguments("""{"cmd":"p\u0069ng"}""", "ping", "")]
    [Arguments("{}", null, "")]
    [Arguments("""{"cmd":7,"id":1}""", null, "1")]
    [Arguments("""{"cmd":{"cmd":"ping"}}""", null, "")]
    [Arguments("""{"cmd":null}""", null, "")]
    public void The_command_is_read_and_the_id_kept_as_it_was_written(string line, string? command, string id)
    {
        var envelope = RequestEnvelope.Read(Encoding.UTF8.GetBytes(line));
        envelope.Command.ShouldBe(command);
        Encoding.UTF8.GetString(envelope.Id).ShouldBe(id);
        envelope.IdIsInvalid.ShouldBeFalse();
    }

    [Test]
    [Arguments("true")]
    [Arguments("{}")]
    [Arguments("[1]")]
    public void An_id_that_is_neither_string_nor_number_is_told_apart(string id) =>
        RequestEnvelope.Read(Encoding.UTF8.GetBytes($"{{\"id\":{id},\"cmd\":\"ping\"}}")).IdIsInvalid.ShouldBeTrue();

    [Test]
    [Arguments("")]
    [Arguments("   ")]
    [Arguments("ping")]
    [Arguments("null")]
    [Arguments("7")]
    [Arguments("""["ping"]""")]
    [Arguments("""{"cmd":"ping"}x""")]
    [Arguments("""{"cmd":"ping"}{"cmd":"ping"}""")]
    [Arguments("""{"cmd":"ping"},""")]
    [Arguments("""{"cmd":"ping",}""")]
    [Arguments("""{"cmd":"ping" """)]
    [Arguments("""{"cmd":"pi""")]
    [Arguments("""{'cmd':'ping'}""")]
    [Arguments("{\"cmd\":\"pi\tng\"}")]
    [Arguments("""{"id":01,"cmd":"ping"}""")]
    public void A_line_that_is_not_one_object_is_bad_json(string line) => ShouldBeBadJson(Encoding.UTF8.GetBytes(line));

    [Test]
    [Arguments("""{"cmd":"\ud800"}""")]
    [Arguments("""{"cmd":"pin\udc00"}""")]
    [Arguments("""{"\ud8":"ping"}""")]
    public void Half_a_surrogate_pair_in_the_command_is_bad_json(string line) => ShouldBeBadJson(Encoding.UTF8.GetBytes(line));

    [Test]
    public void Bytes_that_are_no_UTF_8_in_the_command_are_bad_json() => ShouldBeBadJson([.. "{\"cmd\":\"p"u8, 0xff, .. "ng\"}"u8]);

    [Test]
    [Arguments("""{"c\ud800d":1,"cmd":"ping"}""")]
    [Arguments("""{"\ud800":1,"cmd":"ping"}""")]
    public void Half_a_surrogate_pair_in_a_name_never_ends_the_connection(string line) => Parse(Encoding.UTF8.GetBytes(line));

    [Test]
    public void Nesting_without_end_is_bad_json() =>
        ShouldBeBadJson(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 100_000)));

    private static ParsedRequest Parse(byte[] line) => ParsedRequest.Parse(line, StubCommands.Table);

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

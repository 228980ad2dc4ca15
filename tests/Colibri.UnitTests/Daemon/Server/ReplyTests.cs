using System.Buffers;
using System.Text;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Daemon.Server;

public sealed class ReplyTests
{
    [Test]
    public void Nothing_to_say_is_an_empty_object() => Line(Reply.Empty).ShouldBe("{\"ok\":true,\"data\":{}}\n");

    [Test]
    public void The_id_comes_back_as_it_was_written() =>
        Line(Reply.Empty, "\"q\\u00e9\\\"\"").ShouldBe("{\"id\":\"q\\u00e9\\\"\",\"ok\":true,\"data\":{}}\n");

    [Test]
    public void One_thing_is_the_data_itself() => Line(Reply.Of(new IntakeReceipt("i-1"), ProtocolJson.Wire.IntakeReceipt), "1.0")
        .ShouldBe("{\"id\":1.0,\"ok\":true,\"data\":{\"intake_id\":\"i-1\"}}\n");

    [Test]
    public void A_list_stands_under_its_plural_name() => Line(Reply.Of(
            new SessionList([new SessionSummary("s", 1, 2, new DateTimeOffset(2026, 11, 22, 7, 7, 10, 5, TimeSpan.FromHours(1)))]), ProtocolJson.Wire.SessionList))
        .ShouldBe("{\"ok\":true,\"data\":{\"sessions\":[{\"id\":\"s\",\"generation\":1,\"bytes\":2,\"updated_at\":\"2026-11-22T06:07:10.005Z\",\"over_budget\":false}]}}\n");

    [Test]
    public void An_error_is_a_code_and_one_line() => Line(Reply.Error(ErrorCodes.Conflict, "task é is <started>,\n\"not\" 'queued'"), "7")
        .ShouldBe("{\"id\":7,\"ok\":false,\"error\":{\"code\":\"conflict\",\"message\":\"task é is <started>,\\n\\\"not\\\" 'queued'\"}}\n");

    [Test]
    [Arguments("""{"cmd":"fly","id":1}""", "unknown-command", "there is no command 'fly'; colibri --help lists them")]
    [Arguments("""{"id":1}""", "bad-request", "cmd is missing")]
    [Arguments("""{"cmd":"list-tasks","id":1,"limit":"many"}""", "bad-request", "limit has a value of the wrong kind")]
    public void A_request_that_cannot_run_is_answered_with_its_id_and_the_field(string line, string code, string message)
    {
        var parsed = ParsedRequest.Parse(Encoding.UTF8.GetBytes(line), StubCommands.Table);
        Line(parsed.Failure.ShouldNotBeNull(), Encoding.UTF8.GetString(parsed.Id))
            .ShouldBe($"{{\"id\":1,\"ok\":false,\"error\":{{\"code\":\"{code}\",\"message\":\"{message}\"}}}}\n");
    }

    private static string Line(Reply reply, string id = "")
    {
        var output = new ArrayBufferWriter<byte>();
        reply.WriteLine(output, Encoding.UTF8.GetBytes(id));
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}

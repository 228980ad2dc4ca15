using Colibri.UnitTests.Web.Security;

namespace Colibri.UnitTests.Web.Api;

public sealed class EventStreamTests
{
    [Test]
    [Arguments("/events?on=panes")]
    [Arguments("/tasks/1/session/follow")]
    public async Task A_head_of_a_stream_ends_and_takes_no_place_of_a_page(string path)
    {
        await using var server = await WebServer.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            var answer = await server.SendAsync($"HEAD {path} HTTP/1.1", ["Host: 127.0.0.1:PORT"], "");
            answer.Status.ShouldBe(200);
            answer.Text.ShouldContain("Content-Type: text/event-stream");
        }
    }
}

using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Panes;

/// <summary>A message that its agent tells in pieces.</summary>
public sealed class MessagePiecesTests
{
    [Test]
    public void Pieces_are_one_message_once_they_are_taken()
    {
        var pieces = new MessagePieces(Secrets.None);
        pieces.Take().ShouldBeNull();
        pieces.Add("one ", isNested: false).ShouldBeTrue();
        pieces.Add("message", isNested: false).ShouldBeTrue();
        pieces.Take().ShouldBe(("one message", false));
        pieces.Take().ShouldBeNull();
    }

    [Test]
    public void Words_behind_the_limit_are_left_out_and_told_of_once()
    {
        var pieces = new MessagePieces(Secrets.None);
        pieces.Add(new string('x', MessagePieces.MaxChars - 1), isNested: false).ShouldBeTrue();
        // One character of two units, which the limit would cut.
        pieces.Add("\U0001F426", isNested: false).ShouldBeFalse();
        pieces.Add(new string('y', 10_000), isNested: false).ShouldBeTrue();
        pieces.Take()!.Value.Words.ShouldBe(new string('x', MessagePieces.MaxChars - 1));
        pieces.Add("after", isNested: true).ShouldBeTrue();
        pieces.Take().ShouldBe(("after", true));
    }

    /// <summary>A goose in whose messages a tool call, another message and the end come between pieces.</summary>
    [Test]
    public void A_session_holds_each_message_once_and_in_its_place()
    {
        var pane = PaneFixture.New("goose", transcript: new ListTranscript());
        List<string> entries = [];
        foreach (var line in (string[])
        [
            Piece("m1", """{"type":"text","text":"Running "}"""), Piece("m1", """{"type":"text","text":"it."}"""),
            Piece("m1", """{"type":"toolRequest","id":"c1","toolCall":{"status":"success","value":{"name":"shell","arguments":{"command":"echo hi"}}}}"""),
            """{"type":"message","message":{"id":"u1","role":"user","content":[{"type":"toolResponse","id":"c1","toolResult":{"status":"success","value":{"content":[{"type":"text","text":"hi"}],"isError":false}}}]}}""",
            Piece("m2", """{"type":"text","text":"Next."}"""), Piece("m3", """{"type":"text","text":"Do"}"""), Piece("m3", """{"type":"text","text":"ne."}"""),
            """{"type":"complete","total_tokens":3,"input_tokens":2,"output_tokens":1}""",
        ])
        {
            var news = pane.Feed(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
            foreach (var entry in news.Entries)
                entries.Add($"{entry.Kind} {entry.Text}".TrimEnd());
            if (news.Words is { } words)
                entries.Add($"words {words}");
        }

        entries.ShouldBe(
        [
            "Assistant Running it.", """ToolCall {"command":"echo hi"}""", "words Running it.", "ToolResult hi", "Assistant Next.", "words Next.", "Assistant Done.", "Usage", "words Done.",
        ]);
        var shown = pane.Show();
        (shown.Turns, shown.Tools, shown.Activity).ShouldBe((3, 1, Activity.Done));

        static string Piece(string id, string block) => $$$"""{"type":"message","message":{"id":"{{{id}}}","role":"assistant","content":[{{{block}}}]}}""";
    }

    [Test]
    public void A_message_that_the_agents_end_cuts_off_is_kept()
    {
        var pane = PaneFixture.New("goose", transcript: new ListTranscript());
        pane.Feed("""{"type":"message","message":{"id":"m1","role":"assistant","content":[{"type":"text","text":"Half of"}]}}"""u8);
        var kept = pane.Complete();
        kept.Entries.ToArray().ShouldHaveSingleItem().Text.ShouldBe("Half of");
    }
}

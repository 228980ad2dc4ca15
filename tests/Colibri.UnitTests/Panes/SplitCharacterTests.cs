using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Providers;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Panes;

/// <summary>Raw separators of lines and paragraphs end no line, and a character that is split between two reads is one character.</summary>
public sealed class SplitCharacterTests
{
    private const string Words = "one\u2028two\u2029three \u20AC \u00E9 \U0001F426 \u200D end";

    [Test]
    public void What_is_said_is_the_same_wherever_the_reads_split_it()
    {
        var line = Encoding.UTF8.GetBytes(
            $$$"""{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"{{{Words}}}"}],"stopReason":"error","errorMessage":"{{{Words}}}"}}""" + "\n");
        for (var at = 0; at <= line.Length; at++)
        {
            var pane = new AgentPane(
                new PaneIdentity("id-1", "pi", "pi"), AgentProfiles.For("pi", null).Dialect, new StoppedClock(), keepsWords: true, secrets: Keys.Of(Keys.Usual));
            // The news of a chunk are gone with the next one.
            var said = pane.Feed(line.AsSpan(0, at)).Entries.ToArray().ToList();
            said.AddRange(pane.Feed(line.AsSpan(at)).Entries);
            said.ShouldHaveSingleItem().Text.ShouldBe(Words, $"split at {at}");
            (pane.Show().Error, pane.Show().MalformedLines).ShouldBe((Words, 0), $"split at {at}");
        }
    }

    [Test]
    public async Task They_are_read_back_from_a_session_as_they_were_and_are_one_line_of_its_file()
    {
        using var fixture = new SessionFixture();
        var store = new SessionStore(fixture.Root, fixture.Cost, fixture.Time, fixture.Logger) { Secrets = Keys.Of(Keys.Usual) };
        await store.AppendAsync("s", SessionFixture.Note(Words));
        await store.AppendAsync("s", SessionFixture.Note(Words + Keys.Usual));
        store.Read("s", all: true)!.Entries.Select(entry => entry.Text).ShouldBe([Words, Words + "[redacted]"]);
        fixture.LinesOf("s").Length.ShouldBe(2);
    }
}

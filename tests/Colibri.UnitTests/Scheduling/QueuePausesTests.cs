using Colibri.Core.Scheduling;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Scheduling;

public sealed class QueuePausesTests
{
    private readonly FakeTime _time = new();
    private readonly CollectingLogger _logger = new();

    [Test]
    public async Task A_pause_outlives_the_daemon_and_ends_only_by_its_own_selectors()
    {
        await using var board = new BoardFixture();
        var pauses = await RestoreAsync(board);
        await pauses.PauseAsync("OpenAI", null, "the plan");
        await pauses.PauseAsync(null, null, null);
        await pauses.PauseAsync(null, "pi", "a/b.c %");
        var since = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromMinutes(1));
        await pauses.PauseAsync("openai", null, "the plan again");

        pauses = await RestoreAsync(board);
        pauses.State.Paused.Select(pause => (pause.Provider, pause.Agent, pause.Since, pause.Reason)).ShouldBe(
            [(null, null, since, null), (null, "pi", since, "a/b.c %"), ("openai", null, since, "the plan again")]);
        await pauses.ResumeAsync("anthropic", null);
        await pauses.ResumeAsync("openai", "pi");
        pauses.State.Paused.Count.ShouldBe(3);
        await pauses.ResumeAsync("OPENAI", null);
        await pauses.ResumeAsync(null, "pi");

        pauses = await RestoreAsync(board);
        (await pauses.ResumeAsync(null, null)).Paused.ShouldBeEmpty();
        (await RestoreAsync(board)).State.Paused.ShouldBeEmpty();
    }

    [Test]
    public async Task What_cannot_be_read_is_dropped_and_the_number_is_bounded()
    {
        await using var board = new BoardFixture();
        await board.Board.SetSettingAsync(QueuePauses.Prefix + "x", "{");
        var pauses = await RestoreAsync(board);
        (await board.Board.SettingsAsync(QueuePauses.Prefix, 10)).ShouldBeEmpty();
        for (var n = 0; n < QueuePauses.Max; n++)
            await pauses.PauseAsync($"p{n}", null, null);
        (await Should.ThrowAsync<InvalidOperationException>(() => pauses.PauseAsync("one more", null, null))).Message.ShouldContain("resume-queue");
        await pauses.PauseAsync("p0", null, "a known one may get another reason");
    }

    private Task<QueuePauses> RestoreAsync(BoardFixture board) => QueuePauses.RestoreAsync(board.Board, _time, _logger);
}

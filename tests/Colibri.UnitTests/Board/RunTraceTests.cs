using System.Text.RegularExpressions;
using Colibri.Core.Board;

namespace Colibri.UnitTests.Board;

public sealed class RunTraceTests
{
    /// <summary>W3C Trace Context, 3.2.2: version 00, both ids in lower-case hexadecimal and not zero, and the flags.</summary>
    [Test]
    public void The_parent_is_as_the_standard_has_it()
    {
        var traces = Enumerable.Range(0, 500).Select(_ => RunTrace.New()).ToList();

        traces.ShouldAllBe(trace => Regex.IsMatch(trace.Parent, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"));
        traces.ShouldAllBe(trace => trace.TraceId != new string('0', 32) && trace.SpanId != new string('0', 16));
        traces.Select(trace => trace.TraceId).ShouldBeUnique();
        traces.Select(trace => trace.SpanId).ShouldBeUnique();
    }

    /// <summary>A UUID has fixed bits; each digit of an id takes every value.</summary>
    [Test]
    public void Every_digit_is_random()
    {
        var traces = Enumerable.Range(0, 500).Select(_ => RunTrace.New()).Select(trace => trace.TraceId + trace.SpanId).ToList();
        for (var digit = 0; digit < 48; digit++)
            traces.Select(trace => trace[digit]).Distinct().Count().ShouldBe(16, $"digit {digit}");
    }

    [Test]
    public async Task A_run_keeps_what_its_agent_was_told()
    {
        await using var fixture = new BoardFixture();
        var begun = await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), (await fixture.Create()).Id);

        var run = (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 1 }))!.Runs.ShouldHaveSingleItem();
        $"00-{run.TraceId}-{run.SpanId}-01".ShouldBe(begun.Trace!.Parent);
        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("b"), taskId: null)).Trace.ShouldBeNull("without a task there is no run on record");
    }
}

using Colibri.Core.Runs;

namespace Colibri.UnitTests.Runs;

/// <summary>The life of a run, pair by pair.</summary>
public sealed class RunTableTests
{
    private const string States = "CPTWBEKR";

    /// <summary>The same table drawn once more: a row for each state, a letter for each event.</summary>
    private static readonly string[] Drawn =
    [
        // placed told worked asked ended checked recorded
        "PCCCECC", // claimed
        "PTWBEPP", // placed
        "TTWBETT", // told
        "WWWBEWW", // working
        "BBWBEBB", // blocked
        "EEEEEKE", // ended
        "KKKKKKR", // checked
        "RRRRRRR", // recorded
    ];

    public static IEnumerable<(RunState, RunEvent)> Pairs() =>
        Enum.GetValues<RunState>().SelectMany(state => Enum.GetValues<RunEvent>().Select(happened => (state, happened)));

    [Test]
    [MethodDataSource(nameof(Pairs))]
    public void Every_pair_has_the_answer_that_is_drawn(RunState state, RunEvent happened) =>
        States[(int)RunTable.Next(state, happened)].ShouldBe(Drawn[(int)state][(int)happened]);

    [Test]
    [MethodDataSource(nameof(Pairs))]
    public void A_run_never_goes_back_but_from_a_question_to_work(RunState state, RunEvent happened)
    {
        var next = RunTable.Next(state, happened);
        if (next < state)
            (state, next).ShouldBe((RunState.Blocked, RunState.Working));
    }

    [Test]
    public void Each_action_is_asked_for_once_in_every_life_however_it_goes()
    {
        var random = new Random(13);
        var events = Enum.GetValues<RunEvent>();
        for (var life = 0; life < 2_000; life++)
        {
            var state = RunState.Claimed;
            var actions = new List<RunAction>();
            for (var step = 0; step < 200; step++)
            {
                var next = RunTable.Next(state, events[random.Next(events.Length)]);
                actions.Add(RunTable.ActionOf(state, next));
                state = next;
            }
            state.ShouldBe(RunState.Recorded);
            actions.RemoveAll(action => action == RunAction.Nothing);
            actions.ShouldBeUnique();
            actions.SequenceEqual(actions.Order()).ShouldBeTrue("told before judged, judged before recorded, recorded before free");
            actions.ShouldContain(RunAction.Record);
        }
    }

    [Test]
    public void From_every_state_before_its_end_a_cause_ends_a_run()
    {
        foreach (var state in Enum.GetValues<RunState>().Where(state => state < RunState.Ended))
            RunTable.Next(state, RunEvent.Ended).ShouldBe(RunState.Ended);
    }
}

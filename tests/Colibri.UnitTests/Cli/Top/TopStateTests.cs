using Colibri.Cli.Top;
using Colibri.Cli.Top.Actions;
using Colibri.Protocol.Wire;
using static Colibri.UnitTests.Cli.Output.Samples;
using static Colibri.UnitTests.Cli.Top.TopSamples;

namespace Colibri.UnitTests.Cli.Top;

/// <summary>Every key, and what it leads to.</summary>
public sealed class TopStateTests
{
    private static readonly Key Escape = new(KeyKind.Escape);
    private static readonly Key Enter = new(KeyKind.Enter);
    private readonly TopState _state = new(Morning());

    private Effect? Type(string letters)
    {
        Effect? last = null;
        foreach (var letter in letters)
            last = _state.Take(Key.Of(letter));
        return last;
    }

    private static TopAction Performed(Effect? effect) => effect.ShouldBeOfType<Effect.Perform>().Action;

    private string SelectedKey => _state.Rows(_state.Focus)[_state.Selected(_state.Focus, _state.Rows(_state.Focus))].Key;

    [Test]
    public void Arrows_and_letters_move_and_stop_at_the_ends()
    {
        SelectedKey.ShouldBe("agent-1");
        Type("jj");
        SelectedKey.ShouldBe("agent-3");
        Type("G");
        SelectedKey.ShouldBe("agent-4");
        Type("j");
        SelectedKey.ShouldBe("agent-4");
        Type("k");
        SelectedKey.ShouldBe("agent-3");
        Type("g");
        SelectedKey.ShouldBe("agent-1");
        _state.Take(new Key(KeyKind.Down));
        SelectedKey.ShouldBe("agent-2");
        _state.Take(new Key(KeyKind.Up));
        _state.Take(new Key(KeyKind.Up));
        SelectedKey.ShouldBe("agent-1");
        _state.PageRows = 2;
        _state.Take(new Key(KeyKind.PageDown));
        SelectedKey.ShouldBe("agent-3");
        _state.Take(new Key(KeyKind.PageUp));
        SelectedKey.ShouldBe("agent-1");
        _state.Take(new Key(KeyKind.End));
        SelectedKey.ShouldBe("agent-4");
        _state.Take(new Key(KeyKind.Home));
        SelectedKey.ShouldBe("agent-1");
    }

    [Test]
    public void The_selection_stays_on_its_agent_when_others_come_and_go()
    {
        Type("j");
        _state.Model.TakeAll([Agent(2), Agent(3)]);
        SelectedKey.ShouldBe("agent-2");
        _state.Model.TakeAll([Agent(3)]);
        SelectedKey.ShouldBe("agent-3");
    }

    [Test]
    public void Tab_goes_round_the_parts_and_n_round_what_waits()
    {
        _state.Take(new Key(KeyKind.Tab));
        _state.Focus.ShouldBe(Part.Queue);
        _state.Take(new Key(KeyKind.Tab));
        _state.Focus.ShouldBe(Part.Attention);
        _state.Take(new Key(KeyKind.BackTab));
        _state.Focus.ShouldBe(Part.Queue);
        Type("n");
        (_state.Focus, SelectedKey).ShouldBe((Part.Attention, "Question task-2 q1"));
        Type("n");
        SelectedKey.ShouldBe("Review task-12 ");
        Type("NN");
        SelectedKey.ShouldBe("Paused deepseek ");
        Type("n");
        SelectedKey.ShouldBe("Question task-2 q1");
    }

    [Test]
    public void A_filter_leaves_the_rows_that_hold_it_and_Escape_clears_it()
    {
        Type("/LOGIN");
        _state.Rows(Part.Agents).Select(row => row.Key).ShouldBe(["agent-1"]);
        _state.Rows(Part.Queue).ShouldBeEmpty();
        _state.Take(Enter);
        Type("q").ShouldBeOfType<Effect.Quit>();
        _state.Take(Escape);
        _state.Rows(Part.Agents).Count.ShouldBe(4);
        Type("/q");
        _state.Filter.ShouldBe("q");
        _state.Take(Escape);
        (_state.Filter, _state.Filtering).ShouldBe(("", null));
    }

    [Test]
    public void Enter_opens_and_Escape_comes_back()
    {
        var page = _state.Take(Enter).ShouldBeOfType<Effect.Load>().Page;
        (page.Kind, page.Subject).ShouldBe((PageKind.Details, new Subject("task-1", "1", "agent-1", "a1")));
        Type("l").ShouldBeOfType<Effect.Load>().Page.Kind.ShouldBe(PageKind.Log);
        Type("d").ShouldBeOfType<Effect.Load>().Page.Kind.ShouldBe(PageKind.Diff);
        Type("?").ShouldBeOfType<Effect.Load>().Page.Kind.ShouldBe(PageKind.Help);
        Type("s").ShouldBeNull();
        _state.Take(Escape).ShouldBeOfType<Effect.Leave>();
        _state.Take(Escape);
        Type("q").ShouldBeOfType<Effect.Leave>();
        _state.Page.ShouldBe(page);
        _state.Take(Escape);
        _state.Page.ShouldBeNull();
        Type("q").ShouldBeOfType<Effect.Quit>();
    }

    [Test]
    public void Stopping_says_what_ends_and_asks()
    {
        Type("s").ShouldBeNull();
        var lines = string.Join(' ', _state.Prompt!.Lines(200, 10).Select(line => line.Text));
        lines.ShouldBe("Stop agent a1 (pi, pid 4711) on task 1 \"Fix the login test\"? It ends with its whole process tree. y yes  n no      colibri stop-agent a1");
        Type("x").ShouldBeNull();
        _state.Take(Enter).ShouldBeNull();
        Type("n").ShouldBeNull();
        (_state.Prompt, _state.Said).ShouldBe((null, "nothing was done"));
        Type("s");
        var action = Performed(Type("y"));
        (action.Request.Cmd, action.Request.AgentId, action.Twin).ShouldBe(("stop-agent", "agent-1", "colibri stop-agent a1"));
        _state.Said.ShouldBe("colibri stop-agent a1 …");
    }

    [Test]
    public void An_agent_that_has_ended_is_not_stopped()
    {
        Type("Gs").ShouldBeNull();
        (_state.Prompt, _state.Said, _state.IsWrong).ShouldBe((null, "no living agent is selected", true));
    }

    [Test]
    public void A_question_is_answered_by_digit_by_arrows_or_not()
    {
        Type("na");
        _state.Prompt!.Lines(60, 12).Select(line => line.Text).ShouldBe(
        [
            "agent a2 asks: Which database?", "The tests need one.", "> 1 postgres", "  2 sqlite", "  3 none", "1-9 or arrows and Enter  Esc cancel      colibri answer a2 --value 'postgres'",
        ]);
        var action = Performed(Type("3"));
        (action.Request.Cmd, action.Request.AgentId, action.Request.Request, action.Request.Value, action.Twin).ShouldBe(("answer", "agent-2", "q1", "none", "colibri answer a2 --value 'none'"));

        Type("a");
        _state.Take(new Key(KeyKind.Down));
        Performed(_state.Take(Enter)).Request.Value.ShouldBe("sqlite");

        Type("a");
        Type("9");
        _state.Prompt.ShouldNotBeNull();
        _state.Take(Escape);
        _state.Prompt.ShouldBeNull();
    }

    [Test]
    [Arguments("confirm", 'y', true)]
    [Arguments("confirm", 'n', false)]
    [Arguments("permission", 'y', true)]
    public void Yes_and_no_are_one_key(string method, char letter, bool confirmed)
    {
        _state.Model.TakeAll([Agent(1, Activity.Blocked) with { Question = new AgentQuestion("q7", method, "Go on?", null, ["Allow", "Reject"]) }]);
        Type("a");
        var action = Performed(Type(letter.ToString()));
        (action.Request.Request, action.Request.Confirmed, action.Request.Value, action.Twin).ShouldBe(("q7", confirmed, null, $"colibri answer a1 {(confirmed ? "--yes" : "--no")}"));
    }

    [Test]
    public void A_question_for_words_takes_a_line()
    {
        _state.Model.TakeAll([Agent(1, Activity.Blocked) with { Question = new AgentQuestion("q7", "input", "What is its name?") }]);
        Type("aIt's q");
        var action = Performed(_state.Take(Enter));
        (action.Request.Value, action.Twin).ShouldBe(("It's q", "colibri answer a1 --value 'It'\\''s q'"));
    }

    [Test]
    public void A_retry_asks_what_the_agent_is_to_be_told()
    {
        Type("nnn");
        SelectedKey.ShouldBe("Failed task-13 ");
        Type("r use npm test");
        var action = Performed(_state.Take(Enter));
        (action.Request.Cmd, action.Request.TaskId, action.Request.Feedback, action.Twin).ShouldBe(("retry-task", "13", "use npm test", "colibri retry 13 --feedback 'use npm test'"));
        Type("r");
        action = Performed(_state.Take(Enter));
        (action.Request.Feedback, action.Twin).ShouldBe((null, "colibri retry 13"));
    }

    [Test]
    [Arguments('L', "land-task", "colibri land 12", "Land the change of task 12 (colibri/12-fix-the-login: 1 commit, 2 files, +10 -3)? It is merged into its base once its check passes.")]
    [Arguments('D', "discard-task", "colibri discard 12", "Discard the change of task 12 (colibri/12-fix-the-login: 1 commit, 2 files, +10 -3)? Its branch and its tree are removed; its commits are parked in the repository.")]
    public void A_change_is_settled_after_a_yes(char letter, string command, string twin, string asked)
    {
        Type($"nn{letter}");
        _state.Prompt!.Lines(400, 10)[0].Text.ShouldBe(asked);
        var action = Performed(Type("y"));
        (action.Request.Cmd, action.Request.TaskId, action.Twin).ShouldBe((command, "12", twin));
    }

    [Test]
    public void R_holds_what_is_queued_and_releases_what_is_held()
    {
        _state.Take(new Key(KeyKind.Tab));
        Performed(Type("R")).Twin.ShouldBe("colibri hold-task 7");
        Performed(Type("jR")).Twin.ShouldBe("colibri release-task 6");
    }

    [Test]
    public void P_pauses_the_whole_queue_and_lets_it_go_on()
    {
        Performed(Type("p")).Twin.ShouldBe("colibri pause-queue");
        _state.Model.Take(Status with { Queue = new QueueState([new QueuePause(null, null, Now)]) });
        Performed(Type("p")).Twin.ShouldBe("colibri resume-queue");
    }

    [Test]
    public void Where_there_is_nothing_to_act_on_it_says_so()
    {
        _state.Model.TakeAll([]);
        foreach (var letter in "ldasrLDR")
        {
            Type(letter.ToString()).ShouldBeNull();
            _state.IsWrong.ShouldBeTrue($"{letter}");
        }
        _state.Take(Enter).ShouldBeNull();
        _state.IsWrong.ShouldBeTrue();
    }

    [Test]
    public void Pasted_text_acts_on_nothing()
    {
        _state.Take(new Key(KeyKind.Paste, "sy")).ShouldBeNull();
        _state.Prompt.ShouldBeNull();
        Type("s");
        _state.Take(new Key(KeyKind.Paste, "y")).ShouldBeNull();
        _state.Prompt.ShouldNotBeNull();
    }
}

using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Agents.Launch;

/// <summary>How a task with feedback is put to an agent that has an earlier session of its own.</summary>
public sealed class AgentLaunchTests
{
    private static readonly BoardTask Task = new()
    {
        Id = "t",
        Number = 1,
        Title = "Mend the roof",
        Description = "It leaks.",
        Status = TaskState.Claimed,
        Feedback = "The north side leaks still.",
        Usage = new Usage(),
        CreatedAt = default,
        UpdatedAt = default,
    };

    [Test]
    [Arguments("claude", "-p --output-format stream-json --verbose --resume s-1")]
    [Arguments("codex", "exec --json --skip-git-repo-check resume s-1")]
    [Arguments("opencode", "run --format json -s s-1")]
    [Arguments("pi", "--mode json --session s-1")]
    public void A_kind_that_can_goes_on_in_its_session_and_is_told_the_feedback_alone(string kind, string arguments)
    {
        var launch = Launch(kind, Task, Session(kind, "s-1"));

        launch.CommandLine.Arguments.ShouldBe([.. arguments.Split(' '), Task.Feedback!]);
        (launch.Prompt, launch.SentPrompt).ShouldBe((Task.Feedback, Task.Feedback));
    }

    [Test]
    [Arguments("zot")]
    public void Another_kind_is_told_all_of_it(string kind)
    {
        var launch = Launch(kind, Task, Session(kind, "s-1"));

        launch.Prompt.ShouldBe("Mend the roof\n\nIt leaks.\n\nThe north side leaks still.");
        launch.CommandLine.Arguments.ShouldNotContain("s-1");
    }

    [Test]
    public void A_session_of_another_kind_is_not_taken_up() =>
        Launch("claude", Task, Session("codex", "s-1")).CommandLine.Arguments.ShouldNotContain("s-1");

    [Test]
    public void Without_feedback_it_is_told_what_happened_and_nothing_twice()
    {
        var launch = Launch("claude", Task with { Feedback = null }, Session("claude", "s-1") with { Reason = "the daemon ended while the agent was running" });

        launch.CommandLine.Arguments.SkipLast(1).TakeLast(2).ShouldBe(["--resume", "s-1"]);
        launch.Prompt!.ShouldStartWith("The run before this one ended before the task was done: the daemon ended while the agent was running.\n");
        launch.Prompt!.ShouldNotContain("It leaks.");
        launch.SentPrompt.ShouldBe(launch.Prompt);
    }

    [Test]
    public void Feedback_that_was_told_is_told_again_after_what_happened() =>
        Launch("claude", Task, Session("claude", "s-1") with { IsFeedbackTold = true, Reason = "was silent for 15 min" }).Prompt!
            .ShouldSatisfyAllConditions(
                prompt => prompt.ShouldStartWith("The run before this one ended before the task was done: was silent for 15 min."),
                prompt => prompt.ShouldEndWith("\n\n" + Task.Feedback));

    [Test]
    public void A_task_that_was_changed_is_told_whole_with_its_skills()
    {
        var launch = Launch("claude", Task, Session("claude", "s-1") with { IsTaskTold = false }, skills: [new Skill("roofs", "How to mend roofs.", "code", default)]);

        launch.Prompt.ShouldBe("The task was changed after you were told it. It is now:\n\nMend the roof\n\nIt leaks.\n\nThe north side leaks still.");
        launch.SentPrompt!.ShouldEndWith(launch.Prompt!);
        launch.SentPrompt!.ShouldContain("How to mend roofs.");
    }

    [Test]
    public void A_session_that_two_runs_could_not_take_up_is_given_up()
    {
        var launch = Launch("claude", Task, Session("claude", "s-1") with { Failures = 2 }, given: "s-2");

        launch.CommandLine.Arguments.SkipLast(1).TakeLast(2).ShouldBe(["--session-id", "s-2"]);
        launch.Prompt.ShouldBe("Mend the roof\n\nIt leaks.\n\nThe north side leaks still.");
    }

    /// <summary>Two ids, or an id beside the operator's own choice of a session, are an error to some kinds.</summary>
    [Test]
    [Arguments("", "--session-id s-2")]
    [Arguments("--continue", "")]
    [Arguments("--session-id mine", "")]
    public void An_id_is_given_where_nobody_else_chooses_a_session(string extra, string expected)
    {
        var request = new SpawnRequest { Binary = "claude", Runtime = "claude", ExtraArguments = extra.Split(' ', StringSplitOptions.RemoveEmptyEntries) };

        string.Join(' ', Launch("claude", Task, null, request, given: "s-2").CommandLine.Arguments.SkipLast(1)).ShouldBe(
            $"-p --output-format stream-json --verbose {extra} {expected}".Replace("  ", " ").Trim());
        Launch("codex", Task, null, given: "s-2").CommandLine.Arguments.ShouldNotContain("s-2");
    }

    /// <summary>They may be for anything, and a stated prompt stands in place of the task's.</summary>
    [Test]
    public void Stated_arguments_and_a_stated_prompt_begin_anew()
    {
        var request = new SpawnRequest { Binary = "claude", Runtime = "claude" };

        Launch("claude", Task, Session("claude", "s-1"), request with { Arguments = ["-p"] }).CommandLine.Arguments.ShouldNotContain("s-1");
        Launch("claude", Task, Session("claude", "s-1"), request with { Prompt = "Say hello" }).CommandLine.Arguments.ShouldNotContain("s-1");
    }

    private static EarlierSession Session(string kind, string id) => new(new Conversation(kind, id));

    private static AgentLaunch Launch(
        string kind, BoardTask task, EarlierSession? earlier, SpawnRequest? request = null, IReadOnlyList<Skill>? skills = null, string? given = null) =>
        new(AgentProfiles.For(kind, kind), request ?? new SpawnRequest { Binary = kind, Runtime = kind }, task, null, "session", skills ?? [], earlier, given);
}

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
    public void A_kind_that_can_goes_on_in_its_session_and_is_told_the_feedback_alone(string kind, string arguments)
    {
        var launch = Launch(kind, Task, new Conversation(kind, "s-1"));

        launch.CommandLine.Arguments.ShouldBe([.. arguments.Split(' '), Task.Feedback!]);
        (launch.Prompt, launch.SentPrompt).ShouldBe((Task.Feedback, Task.Feedback));
    }

    [Test]
    [Arguments("pi")]
    [Arguments("zot")]
    public void Another_kind_is_told_all_of_it(string kind)
    {
        var launch = Launch(kind, Task, new Conversation(kind, "s-1"));

        launch.Prompt.ShouldBe("Mend the roof\n\nIt leaks.\n\nThe north side leaks still.");
        launch.CommandLine.Arguments.ShouldNotContain("s-1");
    }

    [Test]
    public void A_session_of_another_kind_is_not_taken_up() =>
        Launch("claude", Task, new Conversation("codex", "s-1")).CommandLine.Arguments.ShouldNotContain("s-1");

    [Test]
    public void Without_feedback_a_task_begins_anew()
    {
        var launch = Launch("claude", Task with { Feedback = null }, new Conversation("claude", "s-1"));

        (launch.Prompt, launch.CommandLine.Arguments.Contains("s-1")).ShouldBe(("Mend the roof\n\nIt leaks.", false));
    }

    /// <summary>They may be for anything, and a stated prompt stands in place of the task's.</summary>
    [Test]
    public void Stated_arguments_and_a_stated_prompt_begin_anew()
    {
        var request = new SpawnRequest { Binary = "claude", Runtime = "claude" };

        Launch("claude", Task, new Conversation("claude", "s-1"), request with { Arguments = ["-p"] }).CommandLine.Arguments.ShouldNotContain("s-1");
        Launch("claude", Task, new Conversation("claude", "s-1"), request with { Prompt = "Say hello" }).CommandLine.Arguments.ShouldNotContain("s-1");
    }

    private static AgentLaunch Launch(string kind, BoardTask task, Conversation? earlier, SpawnRequest? request = null) =>
        new(AgentProfiles.For(kind, kind), request ?? new SpawnRequest { Binary = kind, Runtime = kind }, task, null, "session", [], earlier);
}

using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;

namespace Colibri.UnitTests.Runs;

/// <summary>Which session of an agent's own a task's next run may take up, by the recordings of real agents.</summary>
[NotInParallel]
public sealed class TakenUpSessionTests
{
    [Test]
    [Arguments("claude", "claude-2.1-stream-json.jsonl", "a4220ee0-7c5c-432e-8849-b80a1dcd7d8b")]
    [Arguments("codex", "codex-0.171-exec-json-tool.jsonl", "01a21c48-afad-7e10-89c5-ac59910ea1c8")]
    [Arguments("opencode", "opencode-1.18-run-json.jsonl", "ses_dfe157149ffePwVcZKly5pGctU")]
    [Arguments("gemini", "gemini-0.61-stream-json-tool.jsonl", "fe91c28e-840a-49a5-9444-ba923bdc480c")]
    [Arguments("qwen", "qwen-0.24-stream-json-resumed.jsonl", "dafbdd77-0d85-4027-829c-00eb77eef576")]
    [Arguments("copilot", "copilot-1.0-json-tool.jsonl", "10237767-e935-4945-94db-0723b78fbe1a")]
    [Arguments("pi", "pi-1.5.2-json-tool.jsonl", "01a201dd-9e2c-7489-9c6b-b90dc9b73446")]
    public async Task A_session_in_which_the_model_has_answered_is_known_to_the_next_run(string kind, string recording, string session) =>
        (await After(kind, recording)).ShouldBe(new Conversation(kind, session));

    /// <summary>Else a session that cannot be taken up would be tried over and over.</summary>
    [Test]
    [Arguments("claude", "claude-2.1-stream-json-auth.jsonl")]
    [Arguments("codex", "codex-0.169-exec-json-auth.jsonl")]
    [Arguments("opencode", "opencode-1.18-run-json-auth.jsonl")]
    public async Task One_without_an_answer_is_not(string kind, string recording) => (await After(kind, recording, exit: 1)).ShouldBeNull();

    [Test]
    public async Task One_of_a_kind_that_cannot_take_it_up_is_not() => (await After("zot", "pi-1.5.2-json-tool.jsonl")).ShouldBeNull();

    /// <summary>An operator who wants another try without a word wants one that begins anew.</summary>
    [Test]
    public async Task Without_feedback_none_is_looked_for() => (await After("claude", "claude-2.1-stream-json.jsonl", feedback: null)).ShouldBeNull();

    private static async Task<Conversation?> After(string kind, string recording, int exit = 0, string? feedback = "once more")
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.Create(maxAttempts: 1);
        var script = $"cat '{Path.Combine(AppContext.BaseDirectory, "recordings", recording)}'; exit {exit}";
        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Runtime = kind, Arguments = ["-c", script], TaskId = task.Id }));
        (await fixture.OnlyRun(task)).FinishedAt.ShouldNotBeNull();
        if ((await fixture.Get(task)).Status == TaskState.Queued)
            await fixture.Board.CancelAsync(task.Id);
        await fixture.Board.RetryAsync(task.Id, feedback);
        var begun = await fixture.Board.BeginRunAsync(new RunStart
        {
            AgentId = "next",
            TaskId = task.Id,
            SessionId = "s",
            Agent = new AgentRecord { Name = "sh", Runtime = kind, Binary = "sh", Host = "clawdie" },
        });
        begun.Outcome.ShouldBe(EdgeOutcome.Applied, begun.Reason);
        return begun.Earlier?.Conversation;
    }
}

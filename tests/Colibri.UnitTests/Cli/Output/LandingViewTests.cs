using System.Text.Json.Serialization.Metadata;
using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Output;

/// <summary>What is shown of changes, and of what waits for a person.</summary>
public sealed class LandingViewTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private static readonly WorkChange Change = new()
    {
        Workspace = "site",
        Branch = "colibri/12-fix-the-login",
        Base = "0123456789abcdef0123456789abcdef01234567",
        Head = "89abcdef0123456789abcdef0123456789abcdef",
        Commits = 1,
        Files = 2,
        Insertions = 1_200,
        Deletions = 3,
        State = ChangeState.Open,
    };

    private static async Task<(string Out, int ExitCode)> ShownAsync<T>(T data, JsonTypeInfo<T> type, params string[] command)
    {
        await using var daemon = FakeDaemon.Granting(Json(data, type));
        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, .. command], "", environment: null, 80, terminal: false);
        run.Error.ShouldBeEmpty();
        return (run.Out, run.ExitCode);
    }

    private static InboxItem Item(InboxKind kind, string message, string title, long number, params string[] actions) =>
        new(kind, $"t{number}", number, null, null, Now.AddMinutes(-5), message, actions) { Title = title };

    [Test]
    public async Task An_empty_inbox() => (await ShownAsync(new InboxReport([]), Wire.InboxReport, "inbox")).ShouldBe(("nothing waits for you\n", ExitCodes.Done));

    [Test]
    [Arguments("permission", "--yes|--no")]
    [Arguments("select", "--value TEXT")]
    public async Task The_inbox_says_how_a_question_is_answered(string method, string words)
    {
        var item = new InboxItem(InboxKind.Question, "t7", 7, "agent", "a3", Now, "rm -r old", ["answer"]) { Question = new AgentQuestion("q1", method) };
        (await ShownAsync(new InboxReport([item], null), Wire.InboxReport, "inbox")).Out.ShouldContain($"colibri answer a3 {words}\n");
    }

    [Test]
    public async Task Inbox()
    {
        var report = new InboxReport(
            [
                new InboxItem(InboxKind.Question, "t7", 7, "agent", "a3", Now.AddMinutes(-1), "Delete the old tables?", ["answer", "stop-agent"]) { Question = new AgentQuestion("q1", "confirm") },
                Item(InboxKind.Review, "1 commit, 2 files, +10 -3; its check passed", "Fix the login", 12, "get-change", "land-task", "discard-task"),
                Item(InboxKind.Failed, "check-failed: the check failed: exit code 1: " + string.Join(' ', Enumerable.Repeat("assertion failed in LoginTests,", 9)), "Mend\u001b[31m the roof", 13, "retry-task", "delete-task"),
                new InboxItem(InboxKind.Provider, null, null, null, null, Now, "anthropic: auth-failed", ["resume-queue"]) { Name = "anthropic" },
            ],
            1_234);

        (await ShownAsync(report, Wire.InboxReport, "inbox")).ShouldBe(("""
            1 question
              7     6m   Delete the old tables?
                         colibri answer a3 --yes|--no  colibri stop-agent a3

            1 change to review
              12    10m  Fix the login
                         1 commit, 2 files, +10 -3; its check passed
                         colibri diff 12  colibri land 12  colibri discard 12

            1 failure
              13    10m  Mend\x1b[31m the roof
                         check-failed: the check failed: exit code 1: assertion failed in
                         LoginTests, assertion failed in LoginTests, assertion failed in
                         LoginTests, assertion failed in LoginTests, assertion failed in…
                         colibri retry 13  colibri delete-task 13

            1 provider without a valid key
                    5m   anthropic: auth-failed
                         colibri resume-queue --provider anthropic

            and 1,234 more: colibri list-tasks

            """, ExitCodes.Done));
    }

    [Test]
    public async Task A_patch_is_not_wrapped_and_no_escape_sequence_of_it_reaches_the_terminal()
    {
        var patch = $"diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+\u001b]0;mine\u0007{new string('x', 100)}\n+tab\there\n";

        (await ShownAsync(new ChangeAnswer(Change, patch), Wire.ChangeAnswer, "diff", "12")).ShouldBe(($$"""
            change      colibri/12-fix-the-login, open: 1 commit, 2 files, +1,200 -3
            workspace   site, from 0123456789ab to 89abcdef0123
            next        colibri land 12, or: colibri discard 12

            diff --git a/a.txt b/a.txt
            --- a/a.txt
            +++ b/a.txt
            @@ -1 +1 @@
            -old
            +\x1b]0;mine\x07{{new string('x', 100)}}
            +tab    here

            """, ExitCodes.Done));
    }

    [Test]
    public async Task What_landed() => (await ShownAsync(new ChangeAnswer(Change with { State = ChangeState.Landed }), Wire.ChangeAnswer, "land", "12"))
        .ShouldBe(("task 12 has landed: 1 commit, 2 files, +1,200 -3\n", ExitCodes.Done));

    [Test]
    public async Task What_is_in_conflict_exits_with_1_and_says_what_to_type() => (await ShownAsync(
        new ChangeAnswer(Change with { State = ChangeState.Conflict, Conflicts = ["src/login.cs", "a\nb"] }), Wire.ChangeAnswer, "land", "12")).ShouldBe(("""
        conflict    task 12 does not merge with its base in src/login.cs, a\nb; the base
                    is as it was
        next        colibri retry 12 --feedback 'Merge the base into your branch and
                    solve the conflicts', or: colibri discard 12

        """, ExitCodes.Refused));

    [Test]
    public async Task What_was_given_up() => (await ShownAsync(new ChangeAnswer(Change with { State = ChangeState.Discarded }), Wire.ChangeAnswer, "discard", "12"))
        .ShouldBe(("the change of task 12 is discarded; its commits are kept at 89abcdef0123 in its repository\n", ExitCodes.Done));
}

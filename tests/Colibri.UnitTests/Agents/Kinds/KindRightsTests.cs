using System.Text;
using System.Text.Json;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>What each kind is told for each access, in both of its forms. What the kinds make of it is shown by the end-to-end tests with the real ones.</summary>
public sealed class KindRightsTests
{
    private const string ClaudeAsks = """--settings={"permissions":{"ask":["Edit","Write","NotebookEdit"]}}""";
    private const string ClaudeSandbox = """--settings={"sandbox":{"enabled":true,"autoAllowBashIfSandboxed":true,"allowUnsandboxedCommands":false}}""";
    private const string CodexSays = "RUST_LOG=error,codex_otel.log_only[{outcome}]=info";

    /// <summary>Kind, access, whether long-lived, arguments, variables.</summary>
    public static List<(string, Access, bool, string, string)> Table =>
    [
        ("claude", Access.Read, false, $"-p --output-format stream-json --verbose --permission-mode=default {ClaudeAsks} --model M PROMPT", ""),
        ("claude", Access.Edit, false, $"-p --output-format stream-json --verbose --permission-mode=acceptEdits {ClaudeSandbox} --model M PROMPT", ""),
        ("claude", Access.Full, false, "-p --output-format stream-json --verbose --dangerously-skip-permissions --model M PROMPT", ""),
        ("codex", Access.Read, false, "exec --json --skip-git-repo-check --sandbox=read-only -m M PROMPT", CodexSays),
        ("codex", Access.Edit, false, "exec --json --skip-git-repo-check --sandbox=workspace-write --config=sandbox_workspace_write.exclude_slash_tmp=true -m M PROMPT", CodexSays),
        ("codex", Access.Full, false, "exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox -m M PROMPT", ""),
        ("opencode", Access.Read, false, "run --format json -m P/M PROMPT", """OPENCODE_PERMISSION={"edit":"ask","bash":"ask","external_directory":"ask"}"""),
        ("opencode", Access.Edit, false, "run --format json -m P/M PROMPT", """OPENCODE_PERMISSION={"edit":"allow","bash":"allow","external_directory":"deny"}"""),
        ("opencode", Access.Full, false, "run --format json -m P/M PROMPT", """OPENCODE_PERMISSION={"*":"allow","external_directory":"allow"}"""),
        ("gemini", Access.Read, false, "--output-format stream-json --skip-trust --approval-mode=default -m M -p PROMPT", ""),
        ("gemini", Access.Edit, false, "--output-format stream-json --skip-trust --approval-mode=auto_edit -m M -p PROMPT", ""),
        ("gemini", Access.Full, false, "--output-format stream-json --skip-trust --approval-mode=yolo -m M -p PROMPT", ""),
        ("qwen", Access.Read, false, "--output-format stream-json --approval-mode=default --auth-type P -m M PROMPT ", ""),
        ("qwen", Access.Edit, false, "--output-format stream-json --approval-mode=auto-edit --auth-type P -m M PROMPT ", ""),
        ("qwen", Access.Full, false, "--output-format stream-json --approval-mode=yolo --auth-type P -m M PROMPT ", ""),
        ("copilot", Access.Read, false, "--output-format json --no-auto-update --model M -p PROMPT", ""),
        ("copilot", Access.Edit, false, "--output-format json --no-auto-update --allow-tool=write --disallow-temp-dir --model M -p PROMPT", ""),
        ("copilot", Access.Full, false, "--output-format json --no-auto-update --allow-all-tools --allow-all-paths --model M -p PROMPT", ""),
        ("pi", Access.Read, false, "--mode json --tools read,grep,find,ls --provider P --model M PROMPT", ""),
        ("pi", Access.Edit, false, "--mode json --provider P --model M PROMPT", ""),
        ("pi", Access.Full, false, "--mode json --provider P --model M PROMPT", ""),
        ("pi", Access.Read, true, "--mode rpc --tools read,grep,find,ls --provider P --model M", ""),
        ("pi", Access.Edit, true, "--mode rpc --provider P --model M", ""),
        ("pi", Access.Full, true, "--mode rpc --provider P --model M", ""),
        ("acp", Access.Read, true, "", ""),
        ("acp", Access.Edit, true, "", ""),
        ("acp", Access.Full, true, "", ""),
        ("zot", Access.Read, true, "rpc --provider P --model M", ""),
        ("zot", Access.Edit, true, "rpc --provider P --model M", ""),
        ("zot", Access.Full, true, "rpc --provider P --model M", ""),
        ("cline", Access.Read, false, "--json --auto-approve=false -P P -m M PROMPT ", ""),
        ("cline", Access.Edit, false, "--json --auto-approve=true -P P -m M PROMPT ", ""),
        ("cline", Access.Full, false, "--json --auto-approve=true -P P -m M PROMPT ", ""),
        ("goose", Access.Read, false, "run --output-format stream-json -q --provider P --model M -t PROMPT", "GOOSE_MODE=approve"),
        ("goose", Access.Edit, false, "run --output-format stream-json -q --provider P --model M -t PROMPT", "GOOSE_MODE=auto"),
        ("goose", Access.Full, false, "run --output-format stream-json -q --provider P --model M -t PROMPT", "GOOSE_MODE=auto"),
        ("droid", Access.Read, false, "exec --output-format stream-json --only-tools=Read,LS,Grep,Glob -m M PROMPT", ""),
        ("droid", Access.Edit, false, "exec --output-format stream-json --auto=medium -m M PROMPT", ""),
        ("droid", Access.Full, false, "exec --output-format stream-json --skip-permissions-unsafe -m M PROMPT", ""),
        ("cursor", Access.Read, false, "--print --output-format stream-json --mode=ask --model M PROMPT", ""),
        ("cursor", Access.Edit, false, "--print --output-format stream-json --model M PROMPT", ""),
        ("cursor", Access.Full, false, "--print --output-format stream-json --force --model M PROMPT", ""),
        ("amp", Access.Read, false, "--stream-json --execute PROMPT", ""),
        ("amp", Access.Edit, false, "--stream-json --execute PROMPT", ""),
        ("amp", Access.Full, false, "--stream-json --dangerously-allow-all --execute PROMPT", ""),
        ("local", Access.Read, false, "PROMPT", ""),
        ("local", Access.Edit, true, "", ""),
        ("local", Access.Full, false, "PROMPT", ""),
        ("colibri-test-agent", Access.Edit, false, "PROMPT", ""),
    ];

    [Test]
    [MethodDataSource(nameof(Table))]
    public void A_kind_is_held_to_an_access_by_its_own_flags_before_model_and_prompt(string kind, Access access, bool isRpc, string arguments, string variables)
    {
        var profile = AgentProfiles.For(kind == "colibri-test-agent" ? null : kind, kind);
        var line = AgentCommandLine.Build(profile, [], isRpc, "P", "M", "PROMPT", access);
        (string.Join(' ', line.Arguments), line.IsRpc).ShouldBe((arguments, isRpc));
        string.Join(' ', profile.Rights.Environment(access).Select(variable => $"{variable.Key}={variable.Value}")).ShouldBe(variables);
    }

    [Test]
    public void Each_kind_and_access_and_form_has_its_line_in_the_table() =>
        Table.Where(row => row.Item1 is not ("local" or "colibri-test-agent")).Select(row => (row.Item1, row.Item2, row.Item3)).ShouldBe(
            from profile in AgentProfiles.All
            where profile.Name != "local"
            from form in (bool[])[false, true]
            where form ? profile.RpcArguments is not null : !profile.AlwaysRpc
            from access in Enum.GetValues<Access>()
            select (profile.Name, access, form), ignoreOrder: true);

    [Test]
    public void Without_an_access_a_command_line_is_what_it_was()
    {
        foreach (var profile in AgentProfiles.All)
            AgentCommandLine.Build(profile, [], null, "P", "M", "the prompt").Arguments.ShouldBe(
                [.. profile.TaskArguments, .. profile.ModelArguments("P", "M"), .. profile.AlwaysRpc ? (string[])[] : profile.PromptOption is { } option ? [option, "the prompt"] : ["the prompt"]]);
    }

    [Test]
    public void The_operators_arguments_stand_in_place_of_the_flags_and_further_ones_behind_them()
    {
        var claude = AgentProfiles.For(null, "claude");
        AgentCommandLine.Build(claude, ["-p", "--mine"], null, null, null, "PROMPT", Access.Edit, ["--more"]).Arguments.ShouldBe(["-p", "--mine", "--more", "PROMPT"]);
        AgentCommandLine.Build(claude, [], null, null, "M", "PROMPT", Access.Full, ["--more", "x"]).Arguments
            .ShouldBe(["-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions", "--more", "x", "--model", "M", "PROMPT"]);
        var request = new SpawnRequest { Binary = "codex", Access = Access.Edit, Arguments = ["exec", "--json"] };
        (request.HeldAccess, (request with { Arguments = [] }).HeldAccess).ShouldBe((null, Access.Edit));
        var asking = request with { Binary = "opencode", Transport = Transport.Acp, Arguments = ["acp", "--mine"] };
        asking.HeldAccess.ShouldBe(Access.Edit);
        Encoding.UTF8.GetString(new AgentEnvironment(EnvironmentBlock.Empty).Build(asking, [], _ => false, "a", null, "s", "/s").ValueOf("OPENCODE_PERMISSION")!)
            .ShouldContain("\"bash\":\"ask\"", customMessage: "what has it ask is a variable, which arguments do not replace");
    }

    /// <summary>A variadic flag would take the prompt for one more of its values.</summary>
    [Test]
    public void No_flag_takes_the_word_behind_it()
    {
        foreach (var profile in AgentProfiles.All)
        {
            foreach (var access in Enum.GetValues<Access>())
            {
                var arguments = profile.Rights.Arguments(access, isRpc: false);
                if (arguments.Count > 0)
                    (arguments[^1].StartsWith("--", StringComparison.Ordinal) || arguments is ["--tools", "read,grep,find,ls"]).ShouldBeTrue($"{profile.Name} {access}: {arguments[^1]}");
                foreach (var argument in arguments.Where(argument => argument.StartsWith("--settings=", StringComparison.Ordinal)))
                    JsonElement.Parse(argument["--settings=".Length..]).ValueKind.ShouldBe(JsonValueKind.Object);
            }
        }
    }

    [Test]
    [Arguments("claude", true, true)]
    [Arguments("codex", true, true)]
    [Arguments("opencode", true, false)]
    [Arguments("gemini", true, true)]
    [Arguments("qwen", true, false)]
    [Arguments("copilot", true, true)]
    [Arguments("pi", true, false)]
    [Arguments("zot", false, false)]
    [Arguments("cline", true, false)]
    [Arguments("goose", true, false)]
    [Arguments("droid", true, false)]
    [Arguments("cursor", false, false)]
    [Arguments("amp", false, false)]
    [Arguments("local", false, false)]
    public void A_kind_says_in_one_line_what_it_holds_and_what_it_cannot(string kind, bool holdsRead, bool holdsEdit)
    {
        var rights = AgentProfiles.For(kind, kind).Rights;
        (rights.Holds(Access.Read), rights.Holds(Access.Edit), rights.Holds(Access.Full)).ShouldBe((holdsRead, holdsEdit, true));
        foreach (var access in Enum.GetValues<Access>())
        {
            var words = rights.Words(access);
            (words.Length > 0 && !words.Contains('\n', StringComparison.Ordinal)).ShouldBeTrue(words);
            (words.Contains("cannot be held", StringComparison.Ordinal) && words.EndsWith("confine it", StringComparison.Ordinal)).ShouldBe(!rights.Holds(access), words);
        }
    }

    [Test]
    public void Claude_Code_as_root_is_refused_full_access_before_it_refuses_itself()
    {
        var rights = AgentProfiles.For(null, "claude").Rights;
        var reason = rights.WhyNot(Access.Full, 0).ShouldNotBeNull();
        reason.ShouldContain("IS_SANDBOX=1");
        reason.ShouldNotContain("\n");
        rights.WhyNot(Access.Full, 0, name => name == "IS_SANDBOX" ? "1" : null).ShouldBeNull();
        rights.WhyNot(Access.Full, 0, name => name == "IS_SANDBOX" ? "0" : null).ShouldBe(reason);
        rights.WhyNot(Access.Full, 1000).ShouldBeNull();
        rights.WhyNot(Access.Edit, 0).ShouldBeNull();
        foreach (var other in AgentProfiles.All.Where(profile => profile.Name != "claude"))
            other.Rights.WhyNot(Access.Full, 0).ShouldBeNull(other.Name);
    }

    [Test]
    public async Task A_start_that_the_kind_would_refuse_is_refused_before_the_claim()
    {
        Skip.Unless(ProcessUser.EffectiveUid == 0, "only root is refused");
        await using var fixture = new SupervisorFixture(environment: new AgentEnvironment(EnvironmentBlock.Empty));
        var task = await fixture.Create();
        var request = new SpawnRequest { Binary = "true", Runtime = "claude", TaskId = task.Id, Access = Access.Full };
        var refusal = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(request));
        (refusal.Refusal, refusal.IsClaimed, (await fixture.Get(task)).Attempts).ShouldBe((SpawnRefusal.AccessImpossible, false, 0));

        var agent = await fixture.Supervisor.SpawnAsync(request with { Environment = new Dictionary<string, string> { ["IS_SANDBOX"] = "1" } });
        await SupervisorFixture.End(agent);
        (await fixture.Get(task)).Attempts.ShouldBe(1);
    }

    [Test]
    public void Variables_of_an_access_win_over_the_daemons_and_not_over_the_requests()
    {
        var own = EnvironmentBlock.Of([new("RUST_LOG", "debug"), new("KEPT", "1")]);
        var request = new SpawnRequest { Binary = "codex", Access = Access.Edit };
        ValueIn(request).ShouldBe("error,codex_otel.log_only[{outcome}]=info");
        ValueIn(request with { Environment = new Dictionary<string, string> { ["RUST_LOG"] = "trace" } }).ShouldBe("trace");
        ValueIn(request with { Access = Access.Full }).ShouldBe("debug");
        ValueIn(request with { Arguments = ["exec"] }).ShouldBe("debug", "its own arguments take the place of all that holds it");

        string ValueIn(SpawnRequest asked) => Encoding.UTF8.GetString(
            new AgentEnvironment(own).Build(asked, [], _ => false, "a", null, "s", "/s").ValueOf("RUST_LOG")!);
    }

    [Test]
    [Arguments("""2026-11-27T22:17:28.149782Z  INFO codex_otel.log_only: event.name="codex.sandbox_outcome" tool_name=exec_command call_id=call_0 outcome=denied initial_duration_ms=98""", "command_execution: Codex' sandbox stopped it")]
    [Arguments("""2026-11-27T22:17:28.149782Z  INFO codex_otel.log_only: event.name="codex.sandbox_outcome" tool_name=exec_command call_id=call_0 outcome=escalated""", null)]
    [Arguments("2026-11-27T22:17:09.570647Z ERROR codex_core::tools::router: error=patch rejected: writing is blocked by read-only sandbox; rejected by user approval settings", "command_execution: rejected: writing is blocked by read-only sandbox; rejected by user approval settings")]
    [Arguments("a program says outcome=denied", null)]
    public void A_command_that_the_sandbox_of_Codex_stops_is_known_by_its_line_on_standard_error(string line, string? refusal)
    {
        var refused = AgentProfiles.For(null, "codex").RefusalIn!(line);
        (refused is null ? null : $"{refused.Tool}: {refused.Reason}").ShouldBe(refusal);
    }
}

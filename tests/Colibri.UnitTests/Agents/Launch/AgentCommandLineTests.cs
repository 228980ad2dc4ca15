using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Protocol;
using Colibri.UnitTests.Jsonl;

namespace Colibri.UnitTests.Agents.Launch;

public sealed class AgentCommandLineTests
{
    private static readonly string[] None = [];

    [Test]
    [Arguments("pi", "--mode json --provider P --model M PROMPT")]
    [Arguments("zot", "rpc --provider P --model M")]
    [Arguments("claude", "-p --output-format stream-json --verbose --model M PROMPT")]
    [Arguments("codex", "exec --json --skip-git-repo-check -m M PROMPT")]
    [Arguments("opencode", "run --format json -m P/M PROMPT")]
    [Arguments("gemini", "--output-format stream-json --skip-trust -m M -p PROMPT")]
    [Arguments("qwen", "--output-format stream-json --auth-type P -m M PROMPT ")]
    [Arguments("copilot", "--output-format json --no-auto-update --model M -p PROMPT")]
    [Arguments("colibri-test-agent", "PROMPT")]
    public void A_kind_is_started_on_one_task_by_its_name_alone(string binary, string argv) =>
        ShouldBe(Build(binary, None, provider: "P", model: "M"), argv, isRpc: binary == "zot");

    [Test]
    [Arguments("pi", "--mode json PROMPT")]
    [Arguments("zot", "rpc")]
    [Arguments("claude", "-p --output-format stream-json --verbose PROMPT")]
    [Arguments("codex", "exec --json --skip-git-repo-check PROMPT")]
    [Arguments("opencode", "run --format json PROMPT")]
    public void Without_provider_and_model_the_agent_chooses(string binary, string argv) =>
        ShouldBe(Build(binary, None), argv, isRpc: binary == "zot");

    [Test]
    public void A_model_without_a_provider_is_named_alone() =>
        ShouldBe(Build("opencode", None, model: "M"), "run --format json -m M PROMPT", isRpc: false);

    [Test]
    [Arguments("pi", "--mode rpc --provider P --model M")]
    [Arguments("zot", "rpc --provider P --model M")]
    public void A_long_lived_agent_takes_its_prompt_from_standard_input(string binary, string argv) =>
        ShouldBe(Build(binary, None, rpc: true, provider: "P", model: "M"), argv, isRpc: true);

    [Test]
    [Arguments("rpc")]
    [Arguments("--verbose rpc")]
    [Arguments("--rpc")]
    [Arguments("--mode rpc --no-session")]
    [Arguments("--no-session --mode=rpc")]
    public void Stated_arguments_that_say_rpc_make_an_rpc_agent(string stated) =>
        ShouldBe(Build("pi", stated.Split(' ')), stated, isRpc: true);

    [Test]
    [Arguments("pi", "--mode json")]
    [Arguments("pi", "--mode")]
    [Arguments("pi", "--mode=rpc2")]
    [Arguments("pi", "--rpc-timeout 5")]
    [Arguments("zot", "--print")]
    public void Stated_arguments_replace_the_kinds_own(string binary, string stated) =>
        ShouldBe(Build(binary, stated.Split(' ')), $"{stated} PROMPT", isRpc: false);

    [Test]
    public void What_was_asked_for_goes_before_what_the_arguments_look_like()
    {
        ShouldBe(Build("pi", ["rpc"], rpc: false), "rpc PROMPT", isRpc: false);
        ShouldBe(Build("zot", None, rpc: false), "rpc PROMPT", isRpc: false);
        ShouldBe(Build("sh", ["-c", "cat"], rpc: true), "-c cat", isRpc: true);
    }

    [Test]
    [Arguments("--help me", " --help me")]
    [Arguments("-", " -")]
    [Arguments("@etc/passwd", " @etc/passwd")]
    [Arguments("mend -x @home", "mend -x @home")]
    [Arguments("two\nlines", "two\nlines")]
    [Arguments("", "")]
    public void A_prompt_is_never_an_option_or_a_file(string prompt, string argument) =>
        AgentCommandLine.Build(AgentProfiles.For(null, "pi"), None, null, null, null, prompt).Arguments[^1].ShouldBe(argument);

    [Test]
    public void Without_a_prompt_none_is_given() =>
        AgentCommandLine.Build(AgentProfiles.For(null, "pi"), None, null, null, null, null).Arguments.ShouldBe(["--mode", "json"]);

    [Test]
    public void A_log_shows_the_line_without_the_whole_prompt() =>
        AgentCommandLine.Build(AgentProfiles.For(null, "claude"), ["-p"], null, null, null, new string('x', 100_000)).Describe("/bin/claude", Secrets.None)
            .ShouldBe($"/bin/claude -p {new string('x', 60)}…");

    [Test]
    [Arguments(null, "pi", "pi")]
    [Arguments(null, "/usr/local/bin/zot", "zot")]
    [Arguments("claude", "/opt/wrapper", "claude")]
    [Arguments("local", "/opt/pi", "local")]
    [Arguments(null, "/usr/bin/cursor-agent", "cursor")]
    [Arguments("cursor", "/opt/wrapper", "cursor")]
    [Arguments(null, "cursor", "pi")]
    [Arguments(null, "my-agent", "pi")]
    public void A_kind_follows_the_runtime_then_the_programs_name(string? runtime, string binary, string name) =>
        AgentProfiles.For(runtime, binary).Name.ShouldBe(name);

    [Test]
    public void An_unknown_program_gets_no_arguments_of_pis() => AgentProfiles.For(null, "my-agent").TaskArguments.ShouldBeEmpty();

    [Test]
    public void The_runtimes_are_those_a_pane_can_have()
    {
        AgentProfiles.Names.ShouldBe(Runtimes.All);
        AgentProfiles.Names.ShouldAllBe(name => AgentProfiles.IsKnown(name));
        AgentProfiles.IsKnown("Pi").ShouldBeFalse();
    }

    [Test]
    public void Every_kind_that_somebody_has_seen_run_is_read_by_a_recording_of_its_own() =>
        AgentProfiles.Names.Where(name => !RecordingsOf(name).Any()).ShouldBe(Runtimes.Kinds.Where(kind => kind.IsDocumentedOnly || kind.NeedsBinary).Select(kind => kind.Name));

    [Test]
    [Arguments("claude", "-p --output-format stream-json --verbose")]
    [Arguments("codex", "exec --json --skip-git-repo-check -")]
    [Arguments("opencode", "run --format json")]
    [Arguments("pi", "--mode json")]
    [Arguments("goose", "run --output-format stream-json -q -i -")]
    [Arguments("droid", "exec --output-format stream-json")]
    [Arguments("amp", "--stream-json --execute")]
    public void A_prompt_too_long_for_an_argument_goes_to_standard_input(string binary, string argv)
    {
        // 131,072 bytes with the NUL at its end are the most that Linux takes.
        foreach (var (unit, bytes) in new[] { ("x", 1), ("é", 2), ("\u20AC", 3), ("\U0001F426", 4) })
        {
            var longest = string.Concat(Enumerable.Repeat(unit, 131_071 / bytes)) + new string('x', 131_071 % bytes);
            var fits = Long(binary, longest);
            (fits.Input, fits.Problem, fits.Arguments[^1]).ShouldBe((null, null, longest));
            var beyond = Long(binary, longest + "x");
            (beyond.Input, beyond.Problem, string.Join(' ', beyond.Arguments), beyond.IsRpc).ShouldBe((longest + "x", null, argv, false));
        }
        // The blank before a dash counts.
        Long(binary, "-" + new string('x', 131_069)).Input.ShouldBeNull();
        Long(binary, "-" + new string('x', 131_070)).Input.ShouldBe("-" + new string('x', 131_070));
    }

    [Test]
    [Arguments("cline", "word", "--json|word ")]
    [Arguments("cline", "-word", "--json| -word")]
    [Arguments("cline", "two words", "--json|two words")]
    [Arguments("cline", "two\nlines", "--json|two\nlines")]
    [Arguments("goose", "-word", "run|--output-format|stream-json|-q|-t| -word")]
    [Arguments("amp", "word", "--stream-json|--execute|word")]
    [Arguments("claude", "word", "-p|--output-format|stream-json|--verbose|word")]
    public void A_prompt_stands_where_its_kind_looks_for_it(string kind, string prompt, string argv) =>
        string.Join('|', AgentCommandLine.Build(AgentProfiles.For(kind, kind), [], null, null, null, prompt).Arguments).ShouldBe(argv);

    [Test]
    public void It_goes_there_as_it_is_and_behind_the_stated_arguments() => AgentCommandLine.Build(
        AgentProfiles.For(null, "codex"), ["exec", "--json"], null, null, "M", "-" + new string('x', 131_071))
        .ShouldSatisfyAllConditions(line => string.Join(' ', line.Arguments).ShouldBe("exec --json -m M -"), line => line.Input.ShouldBe("-" + new string('x', 131_071)));

    [Test]
    [Arguments("my-agent")]
    [Arguments("sh")]
    public void Of_an_agent_that_takes_its_prompt_as_an_argument_alone_the_way_out_is_told(string binary)
    {
        var beyond = Long(binary, new string('x', 131_072));
        beyond.Input.ShouldBeNull();
        beyond.Problem.ShouldBe(
            "the prompt is 131072 bytes long, and this agent takes it as one argument of at most 131071: shorten it, name a file that holds it, or use an agent that reads prompts on standard input (rpc)");
        Long(binary, new string('x', 131_071)).Problem.ShouldBeNull();
        AgentCommandLine.Build(AgentProfiles.For(null, binary), [], rpc: true, null, null, new string('x', 1_000_000)).Problem.ShouldBeNull();
    }

    private static AgentCommandLine Long(string binary, string prompt) => AgentCommandLine.Build(AgentProfiles.For(null, binary), None, null, null, null, prompt);

    private static IEnumerable<string> RecordingsOf(string kind) =>
        Recordings.Names().Where(name => name.StartsWith(kind + "-", StringComparison.Ordinal));

    /// <summary>Over ACP sessions are begun and taken up by requests; in the duplex mode by arguments, as in a run of its own.</summary>
    [Test]
    public void Arguments_name_a_session_unless_the_transport_does()
    {
        foreach (var kind in AgentProfiles.All.Where(kind => kind.Transports.Contains(Transport.Acp)).Select(kind => kind.Over(Transport.Acp)))
        {
            kind.CanResume.ShouldBeTrue(kind.Name);
            foreach (var (resume, opened) in ((string?, string?)[])[("s-1", null), (null, "s-1")])
                AgentCommandLine.Build(kind, None, true, null, null, "PROMPT", resume: resume, opened: opened).Arguments.ShouldBe(kind.RpcArguments!, kind.Name);
        }
        var duplex = AgentProfiles.For("claude", null).Over(Transport.Duplex);
        AgentCommandLine.Build(duplex, None, true, null, null, "PROMPT", resume: "s-1").Arguments.ShouldBe([.. duplex.DuplexArguments!, "--resume", "s-1"]);
        AgentCommandLine.Build(duplex, None, true, null, null, "PROMPT", opened: "s-1").Arguments.ShouldBe([.. duplex.DuplexArguments!, "--session-id", "s-1"]);
    }

    private static AgentCommandLine Build(string binary, string[] stated, bool? rpc = null, string? provider = null, string? model = null) =>
        AgentCommandLine.Build(AgentProfiles.For(null, binary), stated, rpc, provider, model, "PROMPT");

    private static void ShouldBe(AgentCommandLine built, string argv, bool isRpc)
    {
        string.Join(' ', built.Arguments).ShouldBe(argv);
        built.IsRpc.ShouldBe(isRpc);
    }

    [Test]
    [Arguments("claude")]
    [Arguments("codex")]
    [Arguments("opencode")]
    [Arguments("gemini")]
    [Arguments("qwen")]
    [Arguments("copilot")]
    public void A_kind_without_an_rpc_mode_cannot_be_asked_for_one(string binary)
    {
        Should.Throw<ArgumentException>(() => Build(binary, None, rpc: true)).Message.ShouldBe($"{binary} takes no prompts on standard input: it has no RPC mode");
        Build(binary, ["exec", "rpc"]).IsRpc.ShouldBeFalse();
    }
}

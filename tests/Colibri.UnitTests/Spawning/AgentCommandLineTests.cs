using Colibri.Cli.Commands;
using Colibri.Core.Agents;
using Colibri.Core.Providers;
using Colibri.Core.Spawning;
using Colibri.UnitTests.Jsonl;

namespace Colibri.UnitTests.Spawning;

public sealed class AgentCommandLineTests
{
    private static readonly string[] None = [];

    [Theory]
    [InlineData("pi", "--mode json --no-session --provider P --model M PROMPT")]
    [InlineData("zot", "rpc --provider P --model M")]
    [InlineData("claude", "-p --output-format stream-json --verbose --model M PROMPT")]
    [InlineData("codex", "exec --json --skip-git-repo-check -m M PROMPT")]
    [InlineData("opencode", "run --format json -m P/M PROMPT")]
    [InlineData("colibri-test-agent", "PROMPT")]
    public void A_kind_is_started_on_one_task_by_its_name_alone(string binary, string argv) =>
        ShouldBe(Build(binary, None, provider: "P", model: "M"), argv, isRpc: binary == "zot");

    [Theory]
    [InlineData("pi", "--mode json --no-session PROMPT")]
    [InlineData("zot", "rpc")]
    [InlineData("claude", "-p --output-format stream-json --verbose PROMPT")]
    [InlineData("codex", "exec --json --skip-git-repo-check PROMPT")]
    [InlineData("opencode", "run --format json PROMPT")]
    public void Without_provider_and_model_the_agent_chooses(string binary, string argv) =>
        ShouldBe(Build(binary, None), argv, isRpc: binary == "zot");

    [Fact]
    public void A_model_without_a_provider_is_named_alone() =>
        ShouldBe(Build("opencode", None, model: "M"), "run --format json -m M PROMPT", isRpc: false);

    [Theory]
    [InlineData("pi", "--mode rpc --no-session --provider P --model M")]
    [InlineData("zot", "rpc --provider P --model M")]
    public void A_long_lived_agent_takes_its_prompt_from_standard_input(string binary, string argv) =>
        ShouldBe(Build(binary, None, rpc: true, provider: "P", model: "M"), argv, isRpc: true);

    [Theory]
    [InlineData("rpc")]
    [InlineData("--verbose rpc")]
    [InlineData("--rpc")]
    [InlineData("--mode rpc --no-session")]
    [InlineData("--no-session --mode=rpc")]
    public void Stated_arguments_that_say_rpc_make_an_rpc_agent(string stated) =>
        ShouldBe(Build("pi", stated.Split(' ')), stated, isRpc: true);

    [Theory]
    [InlineData("pi", "--mode json")]
    [InlineData("pi", "--mode")]
    [InlineData("pi", "--mode=rpc2")]
    [InlineData("pi", "--rpc-timeout 5")]
    [InlineData("zot", "--print")]
    public void Stated_arguments_replace_the_kinds_own(string binary, string stated) =>
        ShouldBe(Build(binary, stated.Split(' ')), $"{stated} PROMPT", isRpc: false);

    [Fact]
    public void What_was_asked_for_goes_before_what_the_arguments_look_like()
    {
        ShouldBe(Build("pi", ["rpc"], rpc: false), "rpc PROMPT", isRpc: false);
        ShouldBe(Build("zot", None, rpc: false), "rpc PROMPT", isRpc: false);
        ShouldBe(Build("sh", ["-c", "cat"], rpc: true), "-c cat", isRpc: true);
    }

    [Theory]
    [InlineData("--help me", " --help me")]
    [InlineData("-", " -")]
    [InlineData("@etc/passwd", " @etc/passwd")]
    [InlineData("mend -x @home", "mend -x @home")]
    [InlineData("two\nlines", "two\nlines")]
    [InlineData("", "")]
    public void A_prompt_is_never_an_option_or_a_file(string prompt, string argument) =>
        AgentCommandLine.Build(AgentProfiles.For(null, "pi"), None, null, null, null, prompt).Arguments[^1].ShouldBe(argument);

    [Fact]
    public void Without_a_prompt_none_is_given() =>
        AgentCommandLine.Build(AgentProfiles.For(null, "pi"), None, null, null, null, null).Arguments.ShouldBe(["--mode", "json", "--no-session"]);

    [Fact]
    public void A_log_shows_the_line_without_the_whole_prompt() =>
        AgentCommandLine.Build(AgentProfiles.For(null, "claude"), ["-p"], null, null, null, new string('x', 100_000)).Describe("/bin/claude", Secrets.None)
            .ShouldBe($"/bin/claude -p {new string('x', 60)}…");

    [Theory]
    [InlineData(null, "pi", "pi")]
    [InlineData(null, "/usr/local/bin/zot", "zot")]
    [InlineData("claude", "/opt/wrapper", "claude")]
    [InlineData("local", "/opt/pi", "local")]
    [InlineData(null, "my-agent", "pi")]
    public void A_kind_follows_the_runtime_then_the_programs_name(string? runtime, string binary, string name) =>
        AgentProfiles.For(runtime, binary).Name.ShouldBe(name);

    [Fact]
    public void An_unknown_program_gets_no_arguments_of_pis() => AgentProfiles.For(null, "my-agent").TaskArguments.ShouldBeEmpty();

    [Fact]
    public void The_runtimes_are_those_a_pane_can_have()
    {
        AgentProfiles.Names.ShouldBe(["pi", "zot", "claude", "codex", "opencode", "local"]);
        AgentProfiles.Names.ShouldAllBe(name => AgentProfiles.IsKnown(name));
        AgentProfiles.IsKnown("Pi").ShouldBeFalse();
    }

    [Fact]
    public void The_cli_names_them_all() =>
        AgentCommands.All.SelectMany(command => command.Options).First(option => option.Name == "--runtime").Summary
            .ShouldEndWith($": {string.Join(", ", AgentProfiles.Names.SkipLast(1))} or {AgentProfiles.Names[^1]}");

    [Fact]
    public void Every_kind_but_zot_is_read_by_a_recording_of_its_own() =>
        AgentProfiles.Names.Where(name => !RecordingsOf(name).Any()).ShouldBe(["zot", "local"]);

    private static IEnumerable<string> RecordingsOf(string kind) =>
        Recordings.Names().Select(row => row.Data).Where(name => name.StartsWith(kind + "-", StringComparison.Ordinal));

    private static AgentCommandLine Build(string binary, string[] stated, bool? rpc = null, string? provider = null, string? model = null) =>
        AgentCommandLine.Build(AgentProfiles.For(null, binary), stated, rpc, provider, model, "PROMPT");

    private static void ShouldBe(AgentCommandLine built, string argv, bool isRpc)
    {
        string.Join(' ', built.Arguments).ShouldBe(argv);
        built.IsRpc.ShouldBe(isRpc);
    }

    [Theory]
    [InlineData("claude")]
    [InlineData("codex")]
    [InlineData("opencode")]
    public void A_kind_without_an_rpc_mode_cannot_be_asked_for_one(string binary)
    {
        Should.Throw<ArgumentException>(() => Build(binary, None, rpc: true)).Message.ShouldBe($"{binary} takes no prompts on standard input: it has no RPC mode");
        Build(binary, ["exec", "rpc"]).IsRpc.ShouldBeFalse();
    }
}

using Colibri.TestAgent;

namespace Colibri.UnitTests.TestAgent;

public sealed class AgentOptionsTests
{
    [Test]
    public void The_words_after_the_options_are_the_prompt() =>
        AgentStage.Options("--turns", "3", "fix", "--the", "bug").Prompt.ShouldBe("fix --the bug");

    [Test]
    public void A_double_dash_ends_the_options() =>
        AgentStage.Options("--", "--turns").Prompt.ShouldBe("--turns");

    [Test]
    public void Pi_s_own_way_to_ask_for_rpc_is_understood() =>
        AgentStage.Options("--mode", "rpc", "--provider", "p", "--model", "m", "--no-session").Rpc.ShouldBeTrue();

    [Test]
    public void Usage_asked_for_by_number_wins_over_the_example_in_either_order()
    {
        AgentStage.Options("--emit-usage", "--usage", "1,2,3,4,0.5").Usage.ShouldBe(new TokenUsage(1, 2, 3, 4, 0.5m));
        AgentStage.Options("--usage", "1,2,3,4,0.5", "--emit-usage").Usage.ShouldBe(new TokenUsage(1, 2, 3, 4, 0.5m));
    }

    [Test]
    public void Usage_of_nothing_is_usage_asked_for_by_number()
    {
        AgentStage.Options("--emit-usage", "--usage", "0,0,0,0,0").Usage.ShouldBe(default);
        AgentStage.Options("--usage", "0,0,0,0,0", "--emit-usage").Usage.ShouldBe(default);
        AgentStage.Options("--emit-usage").Usage.ShouldBe(TokenUsage.Example);
        AgentStage.Options().Usage.ShouldBe(default);
    }

    [Test]
    [Arguments("--help")]
    [Arguments("-h")]
    [Arguments("--version")]
    [Arguments("--turns")]
    [Arguments("--prompt")]
    [Arguments("--")]
    [Arguments("-1")]
    [Arguments("")]
    public void A_value_and_a_prompt_may_have_the_name_of_an_option(string text)
    {
        var options = AgentStage.Options("--session-id", text, "--cwd", text, "--provider", text, "--model", text, "--", text);
        options.ShouldBe(AgentStage.Options("--session-id", text) with
        {
            SessionId = text,
            WorkingDirectory = text,
            Provider = text,
            Model = text,
            Prompt = text,
        });
    }

    /// <summary>As Pi takes a session up.</summary>
    [Test]
    public void A_session_that_is_taken_up_keeps_its_id() => AgentStage.Options("--mode", "json", "--session", "s-1", "go on").SessionId.ShouldBe("s-1");

    [Test]
    public void Every_option_arrives_where_it_belongs() =>
        AgentStage.Options("--session-id", "s", "--cwd", "/w", "--turns", "3", "--step-ms", "4", "--hold-secs", "5", "--emit-usage", "--rpc", "--ask",
            "--retry", "--fail", "--exit", "6", "--crash-after", "7", "--ignore-term", "--children", "8", "--malformed", "9", "--flood", "10000000000",
            "--stall", "--linger", "-p", "--no-session", "--provider", "p", "--model", "m", "-h", "--version", "do", "it").ShouldBe(new AgentOptions
            {
                SessionId = "s",
                WorkingDirectory = "/w",
                Turns = 3,
                Step = TimeSpan.FromMilliseconds(4),
                Hold = TimeSpan.FromSeconds(5),
                Usage = TokenUsage.Example,
                Provider = "p",
                Model = "m",
                Prompt = "do it",
                Rpc = true,
                Ask = true,
                Retry = true,
                Fail = true,
                ExitCode = 6,
                CrashAfter = 7,
                IgnoreTerm = true,
                Children = 8,
                Malformed = 9,
                FloodBytes = 10_000_000_000,
                Stall = true,
                Linger = true,
                ShowHelp = true,
                ShowVersion = true,
            });

    [Test]
    public void Without_options_a_run_is_plain()
    {
        var options = AgentStage.Options();
        Guid.TryParse(options.SessionId, out _).ShouldBeTrue();
        options.ShouldBe(new AgentOptions
        {
            SessionId = options.SessionId,
            WorkingDirectory = Environment.CurrentDirectory,
            Turns = 2,
            Step = default,
            Hold = default,
            Usage = default,
            Provider = "test",
            Model = "test-1",
            Prompt = "",
            Rpc = false,
            Ask = false,
            Retry = false,
            Fail = false,
            ExitCode = 0,
            CrashAfter = null,
            IgnoreTerm = false,
            Children = 0,
            Malformed = 0,
            FloodBytes = null,
            Stall = false,
            Linger = false,
            ShowHelp = false,
            ShowVersion = false,
        });
    }

    [Test]
    public void The_last_of_a_repeated_option_counts()
    {
        AgentStage.Options("--turns", "3", "--turns", "4").Turns.ShouldBe(4);
        AgentStage.Options("--rpc", "--mode", "json").Rpc.ShouldBeFalse();
        AgentStage.Options("--mode", "json", "--rpc").Rpc.ShouldBeTrue();
    }

    [Test]
    [Arguments("unknown option --nonsense", "--nonsense")]
    [Arguments("unknown option --TURNS", "--TURNS", "1")]
    [Arguments("unknown option --turns=1", "--turns=1")]
    [Arguments("unknown option --prompt", "--prompt", "x")]
    [Arguments("unknown option --mark", "--mark", "x")]
    [Arguments("unknown option --show-help", "--show-help")]
    [Arguments("unknown option -", "-")]
    [Arguments("--turns -1: not a value it takes", "--turns", "-1")]
    [Arguments("--turns  2: not a value it takes", "--turns", " 2")]
    [Arguments("--turns +2: not a value it takes", "--turns", "+2")]
    [Arguments("--turns : not a value it takes", "--turns", "")]
    [Arguments("--turns --turns: not a value it takes", "--turns", "--turns")]
    [Arguments("--turns 2147483648: not a value it takes", "--turns", "2147483648")]
    [Arguments("--turns 0: not a value it takes", "--turns", "0", "--turns", "1")]
    [Arguments("--turns 0: not a value it takes", "--turns", "0", "--nonsense")]
    [Arguments("--turns 0: not a value it takes", "--turns", "0", "--exit")]
    [Arguments("unknown option --nonsense", "--nonsense", "--turns", "0")]
    [Arguments("--hold-secs 2147483648: not a value it takes", "--hold-secs", "2147483648")]
    [Arguments("--crash-after -1: not a value it takes", "--crash-after", "-1")]
    [Arguments("--children 1001: not a value it takes", "--children", "1001")]
    [Arguments("--malformed x: not a value it takes", "--malformed", "x")]
    [Arguments("--flood 9223372036854775808: not a value it takes", "--flood", "9223372036854775808")]
    [Arguments("--flood -1: not a value it takes", "--flood", "-1")]
    [Arguments("--mode JSON: not a value it takes", "--mode", "JSON")]
    [Arguments("--mode a' failed to parse, provided value: b: not a value it takes", "--mode", "a' failed to parse, provided value: b")]
    [Arguments("--turns needs a value", "--turns")]
    [Arguments("--turns 0: not a value it takes", "--turns", "0")]
    [Arguments("--turns x: not a value it takes", "--turns", "x")]
    [Arguments("--step-ms -1: not a value it takes", "--step-ms", "-1")]
    [Arguments("--exit 256: not a value it takes", "--exit", "256")]
    [Arguments("--mode text: not a value it takes", "--mode", "text")]
    [Arguments("--usage 1,2,3: not a value it takes", "--usage", "1,2,3")]
    [Arguments("--usage 1,2,3,4,-1: not a value it takes", "--usage", "1,2,3,4,-1")]
    public void A_wrong_option_is_named_with_its_value(string message, params string[] args)
    {
        AgentOptions.TryParse(args, out _, out var error).ShouldBeFalse();
        error.ShouldBe(message);
    }
}

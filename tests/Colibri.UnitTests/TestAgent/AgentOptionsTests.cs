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
    [Arguments("unknown option --nonsense", "--nonsense")]
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

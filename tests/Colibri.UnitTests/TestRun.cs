namespace Colibri.UnitTests;

/// <summary>What holds for every test of a run.</summary>
public static class TestRun
{
    /// <summary>A test that hangs fails by its name, a blocked thread or not. What a test waits for has a deadline of a minute at most.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    [Before(HookType.TestDiscovery)]
    public static void Configure(BeforeTestDiscoveryContext context)
    {
        // A task that failed and that nobody looked at is found when it is collected, which no single test can wait for.
        context.Settings.Execution.FailOnUnobservedTaskExceptions = true;
        context.Settings.Timeouts.DefaultTestTimeout = Longest;
        // Tests have deadlines, and many block the thread they are on: more of them than processors would only wait for one another.
        context.Settings.Parallelism.MaximumParallelTests = Environment.ProcessorCount;
        // The console and the report that scripts/test.sh asks for say it all.
        context.Settings.Reporting.HtmlReportEnabled = false;
        context.Settings.Reporting.JsonReportEnabled = false;
    }
}

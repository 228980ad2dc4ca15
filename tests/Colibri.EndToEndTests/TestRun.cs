namespace Colibri.EndToEndTests;

/// <summary>
/// What holds for every test of a run. A test marked [NotInParallel] runs when no other test does: it measures time, and its limits are
/// about Colibri, not about a busy machine.
/// </summary>
public static class TestRun
{
    /// <summary>A test that hangs fails by its name. A few fetch a real agent of hundreds of megabytes first, for which all together have 3 minutes.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    [Before(HookType.TestDiscovery)]
    public static void Configure(BeforeTestDiscoveryContext context)
    {
        // A task that failed and that nobody looked at is found when it is collected, which no single test can wait for.
        context.Settings.Execution.FailOnUnobservedTaskExceptions = true;
        context.Settings.Timeouts.DefaultTestTimeout = Longest;
        // Each test has a daemon of its own, agents, and deadlines for both: more of them than processors would only wait for one another.
        context.Settings.Parallelism.MaximumParallelTests = Environment.ProcessorCount;
        // The console and the report that scripts/test.sh asks for say it all.
        context.Settings.Reporting.HtmlReportEnabled = false;
        context.Settings.Reporting.JsonReportEnabled = false;
    }
}

using System.Diagnostics;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Agents;

/// <summary>A program out of <c>scripts/lib/real-agents.sh</c>, or why there is none.</summary>
/// <param name="Executable">Its path; null where it is not there.</param>
/// <param name="Reason">Why it is not there.</param>
/// <param name="MayPass">It cannot be had here and now, which is no fault of anything tested.</param>
internal sealed record Installation(string? Executable, string? Reason, bool MayPass)
{
    // EX_TEMPFAIL of sysexits.h, as the script says it.
    private const int NotToBeHad = 75;

    // Some agents are hundreds of megabytes. A slow registry must not take the time of the tests: what is not fetched by then is not had.
    private static readonly TimeSpan ForAll = TimeSpan.FromMinutes(8);
    private static long SpentTicks;

    /// <summary>The path; where it cannot be had the test is skipped, and where fetching it went wrong the test fails.</summary>
    public string Required(string name)
    {
        if (Executable is not null)
            return Executable;
        if (!MayPass)
            throw new ShouldAssertException($"real {name} could not be fetched: {Reason}");
        Skip.Test($"real {name} is not available: {Reason}");
        return "";
    }

    /// <param name="function">The function of the script that prints the path.</param>
    public static async Task<Installation> FetchAsync(string function)
    {
        var script = Path.Combine(Repository.Root, "scripts", "lib", "real-agents.sh");
        var environment = new Dictionary<string, string?>();
        foreach (var name in (string[])["HOME", "XDG_CACHE_HOME", "COLIBRI_TEST_CACHE"])
            environment[name] = Environment.GetEnvironmentVariable(name);
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>())
            // A registry or proxy named in the environment is npm's business, whatever its name.
            if (name.StartsWith("npm_config_", StringComparison.OrdinalIgnoreCase) || name.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)
                || name is "NODE_EXTRA_CA_CERTS" or "SSL_CERT_FILE")
                environment[name] = Environment.GetEnvironmentVariable(name);
        Installation found;
        var since = Stopwatch.GetTimestamp();
        try
        {
            var finished = await Launch.ToEndAsync("/bin/sh", ["-c", $". \"$1\" && {function}", "sh", script], environment, ForAll - TimeSpan.FromTicks(Interlocked.Read(ref SpentTicks)));
            found = finished.ExitCode == 0
                ? new Installation(finished.Stdout.Trim(), null, MayPass: false)
                : new Installation(null, finished.Stderr.Trim(), finished.ExitCode == NotToBeHad);
        }
        catch (TimeoutException slow)
        {
            found = new Installation(null, slow.Message, MayPass: true);
        }
        Interlocked.Add(ref SpentTicks, Stopwatch.GetElapsedTime(since).Ticks);
        if (found.MayPass)
            await Console.Error.WriteLineAsync($"tests that need {function} are skipped: {found.Reason}");
        return found;
    }
}

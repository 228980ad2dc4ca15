using Colibri.EndToEndTests.Harness;

[assembly: AssemblyFixture(typeof(Colibri.EndToEndTests.Pi.PiInstallation))]

namespace Colibri.EndToEndTests.Pi;

/// <summary>Real Pi, fetched once into a cache; where it cannot be had, its tests are skipped and say why.</summary>
public sealed class PiInstallation : IAsyncLifetime
{
    private string? _executable;
    private string? _reason;

    /// <summary>Path of the <c>pi</c> to run. Skips the test when there is none.</summary>
    internal string Executable
    {
        get
        {
            if (_executable is null)
                Assert.Skip($"real Pi is not available: {_reason}");
            return _executable;
        }
    }

    public async ValueTask InitializeAsync()
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
        try
        {
            var finished = await Launch.ToEndAsync("/bin/sh", ["-c", ". \"$1\" && real_pi", "sh", script], environment, TimeSpan.FromMinutes(3));
            if (finished.ExitCode == 0)
                _executable = finished.Stdout.Trim();
            else
                _reason = finished.Stderr.Trim();
        }
        catch (TimeoutException slow)
        {
            _reason = slow.Message;
        }
        if (_reason is not null)
            await Console.Error.WriteLineAsync($"tests with real Pi are skipped: {_reason}");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

namespace Colibri.EndToEndTests.Pi;

/// <summary>A home folder in which Pi knows one model, the stand-in, and nothing of the machine.</summary>
internal static class PiHome
{
    /// <summary>What a single task's Pi is started with, its prompt after it.</summary>
    public static readonly string[] Arguments = ["--mode", "json", "--provider", "mock", "--model", "mock-1", "--no-session"];

    /// <summary>Writes Pi's configuration under <paramref name="home"/> and gives the environment to start Pi with.</summary>
    public static (string Name, string? Value)[] Furnish(string home, int port)
    {
        var agent = Directory.CreateDirectory(Path.Combine(home, ".pi", "agent")).FullName;
        File.WriteAllText(Path.Combine(agent, "models.json"), $$$$"""
            {"providers":{"mock":{"baseUrl":"http://127.0.0.1:{{{{port}}}}/v1","api":"openai-completions","apiKey":"sk-mock",
              "models":[{"id":"mock-1","contextWindow":128000,"maxTokens":4096,"cost":{"input":3,"output":15,"cacheRead":0.3,"cacheWrite":3.75}}]}}}
            """);
        // Its own back-off is 2, 4 and 8 seconds: the same events come with a short one.
        File.WriteAllText(Path.Combine(agent, "settings.json"), """{"retry":{"enabled":true,"maxRetries":3,"baseDelayMs":20}}""");
        return [("HOME", home), ("PI_OFFLINE", "1"), ("PI_SKIP_VERSION_CHECK", "1"), ("PI_TELEMETRY", "0")];
    }
}

using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests.Agents;

/// <summary>A home folder in which a real agent knows one model, the stand-in, and nothing of the machine.</summary>
internal abstract class AgentHome
{
    /// <summary>The runtime's name, and the program's.</summary>
    public abstract string Kind { get; }

    /// <summary>The route it is started on.</summary>
    public abstract (string Provider, string Model) Route { get; }

    /// <summary>What it says when its key is not taken.</summary>
    public abstract string RefusedWords { get; }

    /// <summary>What the scenario with a tool has used by its events: what was sent, answered and read from the cache.</summary>
    public virtual (long Input, long Output, long CacheRead) ToolUsage => (324, 52, 2176);

    /// <summary>Its events tell the id of its own session.</summary>
    public virtual bool TellsSession => true;

    /// <summary>Why it is fetched only on demand; null where it always is.</summary>
    public virtual string? OnDemand => null;

    /// <summary>Whether a request is one that no setting keeps it from: it is refused here, and the run goes on without.</summary>
    public virtual bool IsKnownStray(string request) => false;

    /// <summary>Whether a tool's result is that of <c>echo hi</c>.</summary>
    public virtual bool IsAnswerToEcho(string text) => text.Split('\n')[0] == "hi";

    /// <summary>Takes from its settings what its user allows it: then its access alone decides.</summary>
    /// <returns>What changes in its environment.</returns>
    public virtual (string Name, string? Value)[] Forbid(string home) => [];

    /// <summary>In which variable it looks for its key.</summary>
    protected abstract string KeyVariable { get; }

    /// <summary>A daemon that starts this agent on its route, with the arguments of its kind alone.</summary>
    public Task<ColibriDaemon> StartDaemonAsync(string executable, ModelStandIn model, params (string Name, string? Value)[] changes) =>
        StartDaemonAsync(executable, model, isAllowed: true, changes);

    /// <summary>The same.</summary>
    /// <param name="executable">Its program.</param>
    /// <param name="model">The stand-in.</param>
    /// <param name="isAllowed">Its user's settings allow its commands.</param>
    /// <param name="changes">To the daemon's environment.</param>
    public Task<ColibriDaemon> StartDaemonAsync(string executable, ModelStandIn model, bool isAllowed, params (string Name, string? Value)[] changes)
    {
        var daemon = ColibriDaemon.Prepared(
            ("COLIBRI_AGENT_BINARY", executable), ("COLIBRI_PROVIDERS", $"{Route.Provider}:{Route.Model}"), (KeyVariable, $"sk-mock-{Guid.NewGuid():N}"),
            // Whatever is not for the stand-in comes to it all the same, and is refused and remembered.
            ("HTTP_PROXY", $"http://127.0.0.1:{model.Port}"), ("HTTPS_PROXY", $"http://127.0.0.1:{model.Port}"), ("NO_PROXY", "127.0.0.1"));
        foreach (var (name, value) in (IEnumerable<(string, string?)>)[.. Furnish(daemon.Environment["HOME"]!, model.Port), .. isAllowed ? [] : Forbid(daemon.Environment["HOME"]!), .. changes])
            daemon.Change(name, value);
        return daemon.StartedAsync();
    }

    /// <summary>Writes its settings under <paramref name="home"/> and gives what it has to find in its environment.</summary>
    protected abstract (string Name, string? Value)[] Furnish(string home, int port);

    protected static void Write(string home, string path, string text)
    {
        var file = Path.Combine(home, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}

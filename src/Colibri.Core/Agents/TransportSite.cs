using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Settings;

namespace Colibri.Core.Agents;

/// <summary>What an agent's transport needs of it: its run's directory, and the files in there.</summary>
internal sealed class TransportSite(SupervisedAgent agent) : ITransportSite
{
    /// <summary>The transport of an agent that takes prompts on its standard input.</summary>
    public static IAgentTransport Transport(AgentProfile profile, SupervisedAgent agent, TimeProvider time) => profile.Transport switch
    {
        Settings.Transport.Acp => new AcpTransport(profile.AcpManners, new TransportSite(agent), time),
        Settings.Transport.Duplex => new DuplexTransport(profile.Dialect, profile.DuplexManners, new TransportSite(agent), time),
        _ => new CommandTransport(profile.Dialect, profile.Commands ?? new CommandNames(null, null), time),
    };

    private const int MaxWords = 2_048;

    public string ClientVersion => agent.DaemonVersion;

    public void Poke() => agent.Poke();

    public string Redact(string words) => agent.Secrets.Excerpt(words, MaxWords);

    public void EndUnread(string why) => agent.EndUnread(why);

    public Task Watched(string what, Task work) => agent.Watched(what, work);

    public async Task<string?> FirstOutsideAsync(IReadOnlyList<string> paths)
    {
        // Never while a chunk of output is read.
        await Task.Yield();
        var (directory, inside) = agent.Workplace;
        // In a root of its own the agent sees other paths, and what a link there leads to stays in that root.
        var root = agent.IsUnconfined ? RealPath(directory) : inside;
        return paths.FirstOrDefault(path =>
        {
            try
            {
                // The kernel follows a link before it goes up from there.
                var whole = path.StartsWith('/') ? path : $"{inside}/{path}";
                return !IsBelow(root, agent.IsUnconfined ? RealPath(whole) : Path.GetFullPath(whole));
            }
            catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
            {
                return true;
            }
        });
    }

    public async Task<string?> WriteFileAsync(string path, string text)
    {
        if (!agent.IsUnconfined)
            return "the agent is confined, and the daemon does not write into its root";
        if (await FirstOutsideAsync([path]).ConfigureAwait(false) is { } outside)
            return $"{outside} is outside of the run's directory";
        try
        {
            await File.WriteAllTextAsync(Path.GetFullPath(path, agent.Workplace.Inside), text).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return e.Message;
        }
    }

    private static bool IsBelow(string root, string path) => path == root || path.StartsWith(root.EndsWith('/') ? root : root + "/", StringComparison.Ordinal);

    // What is not there yet has no links in it.
    private static string RealPath(string path)
    {
        const int MaxLinks = 40;
        var (whole, links) = ("/", 0);
        var left = new Stack<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (left.TryPop(out var part))
        {
            if (part == ".")
                continue;
            if (part == "..")
            {
                whole = Path.GetDirectoryName(whole) ?? "/";
                continue;
            }
            var next = Path.Combine(whole, part);
            if (new FileInfo(next).LinkTarget is not { } target || ++links > MaxLinks)
            {
                whole = next;
                continue;
            }
            if (target.StartsWith('/'))
                whole = "/";
            foreach (var step in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
                left.Push(step);
        }
        return whole;
    }
}

using Colibri.Core.Processes;
using Colibri.Posix.Files;
using Colibri.Posix.Jails;
using Colibri.Posix.Spawning;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// An agent in a FreeBSD jail: an existing jail, or one of its own that ends with its last process. If the daemon is native and root, its own
/// exec trampoline starts the agent; otherwise jexec(8) and jail(8) do, as root. Environment and working directory are passed in files in the
/// jail's stage directory, because every user of the host can read a command line.
/// </summary>
/// <param name="host">The host's means to start it.</param>
/// <param name="commands">The tools' command lines.</param>
/// <param name="root">The jail's root.</param>
/// <param name="stage">The directory inside in which files are left.</param>
public sealed class FreeBsdJail(JailHost host, JailCommands commands, JailRoot root, string stage) : ConfinementPlan
{
    /// <summary>The prefix, before the agent's id, of the names of jails that Colibri makes, and of no others.</summary>
    public const string OwnPrefix = "colibri-";

    /// <summary>The jail to enter; null makes one.</summary>
    public string? Name { get; init; }

    /// <summary>The network of a jail that is made.</summary>
    public JailNetwork Network { get; init; } = JailNetwork.Inherit;

    /// <summary>The user that the agent becomes inside; null is the jail's root.</summary>
    public JailUser? User { get; init; }

    /// <inheritdoc/>
    public override JailRoot Root => root;

    /// <inheritdoc/>
    public override StageDirectory Stage { get; } = new(root.Path, stage);

    /// <inheritdoc/>
    public override uint? Uid => User?.Ids.Uid ?? 0;

    /// <inheritdoc/>
    public override string Description =>
        (Name is null ? $"jail {root.Path}, ip4 {Network.Text}" : $"jail {Name}, {root.Path}") + (User is null ? "" : $", user {User.Name}");

    /// <summary>The name of an agent's own jail.</summary>
    public static string OwnName(string agentId) => OwnPrefix + agentId;

    /// <inheritdoc/>
    public override string JailOf(string agentId) => Name ?? OwnName(agentId);

    /// <inheritdoc/>
    public override ConfinedStart Start(
        string agentId, string program, IReadOnlyList<string> arguments, string? cwd, EnvironmentBlock variables)
    {
        // SHELL is the daemon's user's, and that program need not exist inside.
        var inside = Inside(variables, cwd, User ?? new JailUser("root", cwd ?? "/", new UserIds(0, 0, [0]))).Without("SHELL");
        var marker = AgentMarker.For(agentId);
        // The marker lets us find the process while it is still on its way into the jail.
        var outside = EnvironmentBlock.Of(
        [
            new("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"),
            new(AgentMarker.Variable, agentId),
        ]);
        if (host.HasOwnCalls)
        {
            var trampoline = new JailExecArguments
            {
                Enter = Name,
                Create = Name is null ? OwnName(agentId) : null,
                Network = Network,
                Root = root.Path,
                Stage = stage,
                Name = agentId,
                Ids = User?.Ids,
                Program = program,
                Arguments = arguments,
            };
            return new ConfinedStart(host.Daemon, trampoline.ToArguments(), outside, StagedEnvironment.ForTrampoline(inside, cwd ?? "/"));
        }
        var words = JailCommands.Inside(Stage.PathInside(agentId), marker, User?.Ids, program, arguments);
        var line = Name is null ? commands.StartNew(OwnName(agentId), root.Path, Network, words) : commands.Start(Name, words);
        return new ConfinedStart(line[0], [.. line.Skip(1)], outside, StagedEnvironment.ForShell(StagedEnvironment.ForAnyShell(inside), cwd ?? "/"));
    }
}

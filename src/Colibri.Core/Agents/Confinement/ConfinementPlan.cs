using Colibri.Posix.Files;
using Colibri.Posix.Spawning;

namespace Colibri.Core.Agents.Confinement;

/// <summary>The confinement of one agent. It is decided before the task is claimed, and carried out without a further decision.</summary>
public abstract class ConfinementPlan
{
    private const string Path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

    /// <summary>The directory that becomes <c>/</c>.</summary>
    public abstract JailRoot Root { get; }

    /// <summary>A description for the log, the pane and the board.</summary>
    public abstract string Description { get; }

    /// <summary>The user that the agent has inside; null is the daemon's own.</summary>
    public virtual uint? Uid => null;

    /// <summary>Where files are left for the agent; null where none are.</summary>
    public virtual StageDirectory? Stage => null;

    /// <summary>The jail that the agent will be in; null where there are no jails.</summary>
    /// <param name="agentId">The agent.</param>
    public virtual string? JailOf(string agentId) => null;

    /// <summary>The start of a program inside, as data; creates nothing.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="program">Its path inside.</param>
    /// <param name="arguments">Its own arguments.</param>
    /// <param name="cwd">Its working directory inside; null is <c>/</c>.</param>
    /// <param name="variables">The environment it would have outside.</param>
    public abstract ConfinedStart Start(
        string agentId, string program, IReadOnlyList<string> arguments, string? cwd, EnvironmentBlock variables);

    /// <summary>The environment inside, without variables that name places outside or the daemon's user.</summary>
    protected static EnvironmentBlock Inside(EnvironmentBlock variables, string? cwd, JailUser? user)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var inside = new Dictionary<string, string>
        {
            ["PWD"] = cwd ?? "/",
            ["HOME"] = user?.Home ?? cwd ?? "/",
            ["TMPDIR"] = "/tmp",
            ["PATH"] = Path,
        };
        if (user is not null)
            (inside["USER"], inside["LOGNAME"]) = (user.Name, user.Name);
        return variables.Without(Protocol.SocketPaths.EnvironmentVariable).With(inside);
    }
}

/// <summary>A confined agent's start, as data: the program to execute, and the files to leave for it before.</summary>
/// <param name="Program">Absolute path.</param>
/// <param name="Arguments">They hold no secret, except one that the request itself put into the agent's arguments.</param>
/// <param name="Environment">The environment of the program, which may differ from the agent's.</param>
/// <param name="Staged">The files, by name; empty where the environment is passed on as it is.</param>
public sealed record ConfinedStart(
    string Program, IReadOnlyList<string> Arguments, EnvironmentBlock Environment, IReadOnlyList<KeyValuePair<string, byte[]>> Staged);

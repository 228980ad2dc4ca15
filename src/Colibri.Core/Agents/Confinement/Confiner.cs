using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Jails;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Confinement;

/// <summary>Decides how to confine an agent as requested, or refuses: an agent with a request for confinement never runs without it.</summary>
public sealed class Confiner(DaemonConfiguration configuration, ProgramPath programs, JailHost host, JailKeeper keeper)
{
    private const string NoNetwork = "disable";
    private const string NothingStarted = "; nothing was started";
    private const int LongestJailName = 255;

    /// <summary>The plan of the confinement; null where none was requested. Nothing is created yet.</summary>
    /// <param name="jail">The requested confinement.</param>
    /// <param name="requested">The requested variables.</param>
    /// <exception cref="SpawnRefusedException">The confinement is impossible here; the message says why.</exception>
    public async Task<ConfinementPlan?> PlanAsync(JailRequest? jail, IEnumerable<string> requested) =>
        jail is null ? null
        : host.Kind == OperatingSystemKind.Linux ? PlanBubblewrap(jail)
        : await PlanJailAsync(jail, requested).ConfigureAwait(false);

    /// <summary>Why no agent can be confined so now; null where one can, as far as it shows without running a program.</summary>
    /// <param name="jail">The requested confinement.</param>
    public string? WhyNot(JailRequest jail)
    {
        try
        {
            if (host.Kind == OperatingSystemKind.Linux)
                _ = PlanBubblewrap(jail);
            else if (jail.Name is null)
                _ = RootOfNew(jail);
            return null;
        }
        catch (Exception e) when (e is SpawnRefusedException or IOException or UnauthorizedAccessException)
        {
            return e.Message.EndsWith(NothingStarted, StringComparison.Ordinal) ? e.Message[..^NothingStarted.Length] : e.Message;
        }
    }

    private Bubblewrap PlanBubblewrap(JailRequest jail)
    {
        if (jail.Name is not null)
            throw Refused("Linux has no jails to enter by name; give jail.path");
        if (jail.User is not null && !host.IsRoot)
            throw Refused("jail.user needs a daemon that runs as root; leave it out");
        if (jail.Ip4 is not (null or "inherit" or NoNetwork))
            throw Refused($"jail.ip4 '{jail.Ip4}' cannot be given by bwrap; it can be inherit or {NoNetwork}");
        if (programs.Find("bwrap") is not { } bwrap)
            throw Refused("bwrap is not installed (apt install bubblewrap)");
        var root = RootOfNew(jail);
        var user = jail.User is null ? null : JailUser.Find(root, jail.User);
        return new Bubblewrap(bwrap, root, hasNetwork: jail.Ip4 != NoNetwork, user, host.Daemon);
    }

    private async Task<FreeBsdJail> PlanJailAsync(JailRequest jail, IEnumerable<string> requested)
    {
        if (jail.Name is not null && jail.Path is not null)
            throw Wrong("jail.name enters a jail and jail.path makes one; give one of them");
        if (jail.Name is not null && jail.Ip4 is not null)
            throw Wrong("a jail that is entered has its own addresses; leave jail.ip4 out");
        if (keeper.Privilege is null)
            throw Refused("COLIBRI_JAIL_PRIV_MODE=none needs a daemon that runs as root");
        var network = JailNetwork.Parse(jail.Ip4 ?? "inherit") ?? throw Wrong($"jail.ip4 '{jail.Ip4}' is neither inherit nor {NoNetwork} nor an IPv4 address");
        var root = jail.Name is null ? RootOfNew(jail) : await RootOfAsync(jail.Name, jail.RootPath).ConfigureAwait(false);
        var user = jail.User is null ? null : JailUser.Find(root, jail.User);
        if (!host.HasOwnCalls)
            await RequireToolsAsync(jail, requested).ConfigureAwait(false);
        var plan = new FreeBsdJail(host, keeper.Commands, root, configuration.JailStageDirectory) { Name = jail.Name, Network = network, User = user };
        return plan.Stage.Problem() is { } problem ? throw Refused(problem) : plan;
    }

    private JailRoot RootOfNew(JailRequest jail)
    {
        if (jail.Path is not { Length: > 0 } path)
            throw Wrong("jail.path is missing: the directory that becomes its /");
        var root = JailRoot.Accept(path, configuration.JailRootBase);
        return SameRoot(root, jail.RootPath);
    }

    private async Task<JailRoot> RootOfAsync(string name, string? stated)
    {
        if (!IsJailName(name))
            throw Wrong($"jail.name '{name}' is no name of a jail: letters, digits, . _ -, not first a digit, . or -");
        if (name.StartsWith(FreeBsdJail.OwnPrefix, StringComparison.Ordinal))
            throw Wrong($"jail.name '{name}' is for the jails that end with their agent");
        string? path;
        try
        {
            path = await keeper.RootOfAsync(name).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw Refused(e.Message);
        }
        return path is null ? throw Refused($"there is no jail '{name}' (jls shows those that are)") : SameRoot(JailRoot.Accept(path, configuration.JailRootBase), stated);
    }

    // A request that states both a jail and a root must mean the same jail; otherwise the client is mistaken about it.
    private JailRoot SameRoot(JailRoot root, string? stated) =>
        stated is null || JailRoot.Accept(stated, configuration.JailRootBase).Path == root.Path
            ? root
            : throw Wrong($"jail.root_path '{stated}' is not the root of that jail, {root.Path}");

    private async Task RequireToolsAsync(JailRequest jail, IEnumerable<string> requested)
    {
        var tool = jail.Name is null ? host.Jail : host.Jexec;
        foreach (var program in keeper.Privilege!.Take(1).Append(tool))
        {
            if (!File.Exists(program))
                throw Refused($"{program} is not there (COLIBRI_JAIL_PRIV_MODE={configuration.JailPrivilegeMode.ToString().ToLowerInvariant()})");
        }
        if (requested.FirstOrDefault(name => !StagedEnvironment.IsShellName(name)) is { } odd)
            throw Wrong($"the variable '{odd}' cannot be passed into a jail by its tools: a shell cannot export that name");
        if (await keeper.WhyNotAsync(tool).ConfigureAwait(false) is { } reason)
            throw Refused($"{tool} cannot be run as root through {keeper.Privilege![0]}: {reason}");
    }

    // jail(8): a number would be an id, and a tool must not read the name as an option or a parameter.
    private static bool IsJailName(string name) =>
        name.Length is > 0 and <= LongestJailName && (char.IsAsciiLetter(name[0]) || name[0] == '_')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static SpawnRefusedException Wrong(string reason) => new(SpawnRefusal.JailWrong, reason);

    private static SpawnRefusedException Refused(string reason) => new(SpawnRefusal.NotConfinable, reason + NothingStarted);
}

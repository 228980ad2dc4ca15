using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Agents.Confinement;

/// <summary>A base with one jail's root in it, and stand-ins for the system's tools beside it.</summary>
internal sealed class JailFolder : IDisposable
{
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly string _directory = JailRoot.RealPath(Directory.CreateTempSubdirectory("colibri-jails-").FullName)!;

    public JailFolder()
    {
        foreach (var directory in new[] { Base, Root, Root + "/etc", Root + "/usr", Root + "/usr/bin", Root + "/var", Tools })
        {
            Directory.CreateDirectory(directory);
            File.SetUnixFileMode(directory, Plain);
        }
        File.WriteAllText(Root + "/usr/bin/agent", "");
        File.WriteAllText(Root + "/etc/passwd", "# users\nroot:*:0:0:Charlie &:/root:/bin/sh\nagent:*:1001:1002:An agent:/home/agent:/usr/sbin/nologin\nbroken:*:x:1:a:/:/\n");
        File.WriteAllText(Root + "/etc/group", "wheel:*:0:root,agent\nagent:*:1002:\nvideo:*:44:other,agent\nagents:*:45:agents\n");
        foreach (var tool in new[] { "bwrap", "mdo", "sudo", "jexec", "jail", "ps", "true" })
            Tool(tool, "exit 0");
        Tool("jls", $"[ \"$2\" = acme ] && echo '{Root}'");
    }

    public string Base => _directory + "/base";

    public string Root => Base + "/acme";

    public string Tools => _directory + "/tools";

    public string PathOf(string name) => Path.Combine(_directory, name);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>Puts a script in a tool's place.</summary>
    public void Tool(string name, string script)
    {
        File.WriteAllText($"{Tools}/{name}", $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode($"{Tools}/{name}", Plain);
    }

    public JailHost Host(OperatingSystemKind kind, bool isRoot) => new()
    {
        Kind = kind,
        IsRoot = isRoot,
        Daemon = "/usr/local/bin/colibri-daemon",
        Mdo = Tools + "/mdo",
        Sudo = Tools + "/sudo",
        Jexec = Tools + "/jexec",
        Jail = Tools + "/jail",
        Jls = Tools + "/jls",
        Ps = Tools + "/ps",
        True = Tools + "/true",
    };

    public DaemonConfiguration Configure(DaemonConfiguration plain, JailPrivilegeMode mode) =>
        plain with { JailRootBase = Base, JailPrivilegeMode = mode };

    public async Task<ConfinementPlan?> Plan(
        JailRequest? jail, OperatingSystemKind kind, bool isRoot = false, JailPrivilegeMode mode = JailPrivilegeMode.Mdo, string? rootBase = "", params string[] variables)
    {
        var host = Host(kind, isRoot);
        var configuration = Configure(new DaemonConfiguration { SocketPath = "/s", DatabasePath = "/d", SessionsDirectory = "/x", Host = "h" }, mode);
        if (rootBase is not { Length: 0 })
            configuration = configuration with { JailRootBase = rootBase };
        var keeper = new JailKeeper(host, configuration, SharedChildren.Instance, TimeProvider.System, new CollectingLogger());
        return await new Confiner(configuration, new ProgramPath(Tools, null, _directory), host, keeper).PlanAsync(jail, variables);
    }
}

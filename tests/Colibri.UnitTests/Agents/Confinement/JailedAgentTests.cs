using Colibri.Core.Agents;
using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Processes;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Trees;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Confinement;

/// <summary>
/// Agents started through stand-ins for FreeBSD's tools: real shells read the files that were left, a real process gets them. The
/// stand-ins enter nothing; a path of the stage is made the host's.
/// </summary>
[NotInParallel]
public sealed class JailedAgentTests : IAsyncDisposable
{
    private const string Secret = "k'e\"y\n$HOME `id` \\n ü ";

    private readonly JailFolder _jails = new();
    private SupervisorFixture? _fixture;

    private string Log => _jails.PathOf("log");

    public async ValueTask DisposeAsync()
    {
        if (_fixture is not null)
            await _fixture.DisposeAsync();
        _jails.Dispose();
    }

    [Test]
    [Arguments(JailPrivilegeMode.Mdo, true, null)]
    [Arguments(JailPrivilegeMode.Mdo, true, "agent")]
    [Arguments(JailPrivilegeMode.Sudo, false, null)]
    [Arguments(JailPrivilegeMode.Sudo, false, "agent")]
    public async Task Environment_and_directory_arrive_intact_and_on_no_command_line(JailPrivilegeMode mode, bool isEntered, string? user)
    {
        var fixture = Furnish(mode);
        var work = Directory.CreateDirectory(_jails.PathOf("wörk 'dir'")).FullName;
        var seen = _jails.PathOf("seen");
        var script = $"umask 077; env -0 >'{seen}.env'; pwd >'{seen}.cwd'; tr '\\0' '\\n' </proc/$$/cmdline >'{seen}.argv'; ls -A '{_jails.Root}/var/colibri-stage' >'{seen}.stage'; {SupervisorFixture.LifeCycle}";
        var task = await fixture.Create();

        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script, task) with
        {
            Binary = "/usr/bin/agent",
            Cwd = work,
            Environment = new Dictionary<string, string> { ["API_KEY"] = Secret, ["EMPTY"] = "" },
            Jail = new JailRequest { Name = isEntered ? "acme" : null, Path = isEntered ? null : _jails.Root, User = user },
        });
        await SupervisorFixture.End(agent);

        (await fixture.Get(task)).Status.ShouldBe(TaskState.Done, File.Exists(Log) ? File.ReadAllText(Log) : "");
        var environment = File.ReadAllText(seen + ".env").Split('\0');
        environment.ShouldContain($"API_KEY={Secret}");
        environment.ShouldContain("EMPTY=");
        environment.ShouldContain($"COLIBRI_AGENT_ID={agent.Id}");
        environment.ShouldContain($"PWD={work}");
        environment.ShouldContain($"USER={user ?? "root"}");
        environment.ShouldNotContain(entry => entry.StartsWith("OLDPWD=") || entry.StartsWith("COLIBRI_DAEMON_SOCKET="));
        File.ReadAllText(seen + ".cwd").ShouldBe(work + "\n");
        File.ReadAllText(seen + ".stage").ShouldBe(agent.Id + "\n");
        File.ReadAllText(Log).ShouldNotContain("k'e");
        File.ReadAllText(seen + ".argv").ShouldNotContain("k'e");
        Directory.GetFileSystemEntries(_jails.Root + "/var/colibri-stage").ShouldBeEmpty("what was left is gone with the agent");
        if (!isEntered)
            File.ReadAllText(Log).ShouldContain($"jail -q -R colibri-{agent.Id}\n");
        agent.ToWire().Confinement.ShouldBe((isEntered ? $"jail acme, {_jails.Root}" : $"jail {_jails.Root}, ip4 inherit") + (user is null ? "" : ", user agent"));
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_jailed_agent_that_will_not_end_is_ended_as_root_from_inside_its_jail(bool isEntered)
    {
        var fixture = Furnish(JailPrivilegeMode.Mdo);
        var agent = await fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request("""trap '' TERM; echo '{"type":"agent_start"}'; sleep 300 & setsid sleep 300 & while :; do sleep 1; done""") with
            {
                Binary = "/usr/bin/agent",
                Jail = new JailRequest { Name = isEntered ? "acme" : null, Path = isEntered ? null : _jails.Root },
            });
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "the agent works");
        var pid = agent.ToPane().Pid;
        var since = System.Diagnostics.Stopwatch.StartNew();

        fixture.Supervisor.TryStop(agent.Id, TimeSpan.FromMilliseconds(200));
        await SupervisorFixture.End(agent);
        // jail(8) alone would wait 10 s for what does not heed SIGTERM.
        since.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(9));

        var jail = isEntered ? "acme" : $"colibri-{agent.Id}";
        var lines = File.ReadAllLines(Log).Where(line => line.StartsWith("mdo ")).ToList();
        lines.Count(line => line.Contains($"jexec {jail} /bin/kill -TERM ") && line.Split(' ').Contains($"{pid}")).ShouldBe(1, File.ReadAllText(Log));
        lines.ShouldContain(line => line.Contains(isEntered ? $"jexec {jail} /bin/kill -KILL " : $"jail -q -R {jail}"));
        Shell.Until(() => ProcessTree.FindByMarker(AgentMarker.For(agent.Id)).Count == 0, "all of it is gone");
        Directory.GetFileSystemEntries(_jails.Root + "/var/colibri-stage").ShouldBeEmpty();
    }

    [Test]
    public async Task A_refused_jail_claims_no_task_and_leaves_nothing()
    {
        var fixture = Furnish(JailPrivilegeMode.Mdo);
        _jails.Tool("mdo", "exit 1");
        var task = await fixture.Create();
        await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request("exit 0", task) with { Binary = "/usr/bin/agent", Jail = new JailRequest { Path = _jails.Root } }));
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
        Directory.Exists(_jails.Root + "/var/colibri-stage").ShouldBeFalse();
    }

    [Test]
    public async Task What_a_killed_daemon_left_in_a_jail_is_cleared_by_the_next()
    {
        var fixture = Furnish(JailPrivilegeMode.Mdo);
        var task = await fixture.Create();
        var id = Guid.CreateVersion7().ToString();
        var record = new RunStart
        {
            AgentId = id,
            SessionId = "s",
            Agent = new AgentRecord
            {
                Name = "agent",
                Runtime = "pi",
                Binary = "/usr/bin/agent",
                Host = "h",
                Jail = FreeBsdJail.OwnName(id),
                JailRoot = _jails.Root,
            },
        };
        await fixture.Board.BeginSpawnAsync(record, task.Id);
        new Colibri.Posix.Files.StageDirectory(_jails.Root, "/var/colibri-stage").Write(record.AgentId, [new("environment", "x"u8.ToArray()), new("directory", [])]);
        (await fixture.Board.LiveSpawnsAsync()).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            spawn => spawn.Jail.ShouldBe(record.Agent.Jail), spawn => spawn.JailRoot.ShouldBe(_jails.Root));

        var keeper = new JailKeeper(
            _jails.Host(OperatingSystemKind.LinuxOnFreeBsd, isRoot: false), Configure(JailPrivilegeMode.Mdo), SharedChildren.Instance, TimeProvider.System, fixture.Logger);
        await new LeftoverReconciler(fixture.Board, null, keeper, TimeProvider.System, fixture.Logger).RunAsync();

        (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
        Directory.GetFileSystemEntries(_jails.Root + "/var/colibri-stage").ShouldBeEmpty();
        File.ReadAllText(Log).ShouldContain($"jail -q -R colibri-{record.AgentId}\n");
    }

    /// <summary>Under linprocfs the environment of root's processes cannot be read by another user: the marker is seen with root's eyes alone.</summary>
    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task What_a_killed_daemon_left_in_a_named_jail_is_ended_though_its_environment_is_hidden(bool mayBeListed)
    {
        var fixture = Furnish(JailPrivilegeMode.Mdo);
        var task = await fixture.Create();
        var id = Guid.CreateVersion7().ToString();
        await fixture.Board.BeginSpawnAsync(
            new RunStart
            {
                AgentId = id,
                SessionId = "s",
                Agent = new AgentRecord { Name = "agent", Runtime = "pi", Binary = "/usr/bin/agent", Host = "h", Jail = "acme", JailRoot = _jails.Root },
            },
            task.Id);
        // What a daemon(8) of the agent's left: of no group, session or parent that is the agent's.
        var (left, output) = Shell.Start(Shell.Options("trap '' TERM; echo ready; while :; do sleep 300; done", AgentMarker.For(id)));
        (await output.ReadLine()).ShouldBe("ready");
        var before = Colibri.Posix.Processes.ProcessEnvironment.Calls;
        if (!mayBeListed)
            _jails.Tool("ps", "echo 'mdo: setcred(): Operation not permitted' >&2; exit 1");
        try
        {
            Colibri.Posix.Processes.ProcessEnvironment.Calls = new HiddenEnvironments();
            var keeper = new JailKeeper(
                _jails.Host(OperatingSystemKind.LinuxOnFreeBsd, isRoot: false), Configure(JailPrivilegeMode.Mdo), SharedChildren.Instance, TimeProvider.System, fixture.Logger);
            await using var reconciler = new LeftoverReconciler(fixture.Board, null, keeper, TimeProvider.System, fixture.Logger);
            var reconciled = reconciler.RunAsync();

            if (mayBeListed)
            {
                await reconciled;
                Shell.Until(() => left.Exited.IsCompleted, "it is gone");
                (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
                File.ReadAllLines(Log).Any(line => line.StartsWith("jexec acme /bin/kill -KILL ") && line.Split(' ').Contains($"{left.Pid}"))
                    .ShouldBeTrue(File.ReadAllText(Log));
            }
            else
            {
                Shell.Until(() => fixture.Logger.Of(480).Count > 0, "that it cannot be told is said");
                (await fixture.Get(task)).Status.ShouldNotBe(TaskState.Queued);
                left.Exited.IsCompleted.ShouldBeFalse();
            }
        }
        finally
        {
            Colibri.Posix.Processes.ProcessEnvironment.Calls = before;
            left.SignalGroup(9);
            await left.Exited;
            output.Dispose();
        }
    }

    private sealed class HiddenEnvironments : Colibri.Posix.Processes.EnvironmentCalls
    {
        public override int Open(int pid) => -2;
    }

    private DaemonConfiguration Configure(JailPrivilegeMode mode) =>
        _jails.Configure(new DaemonConfiguration { SocketPath = "/s", DatabasePath = "/d", SessionsDirectory = "/x", Host = "h" }, mode);

    private SupervisorFixture Furnish(JailPrivilegeMode mode)
    {
        var (tools, root) = (_jails.Tools, _jails.Root);
        File.Delete(root + "/usr/bin/agent");
        File.CreateSymbolicLink(root + "/usr/bin/agent", "/bin/sh");
        _jails.Tool("agent", "exec /bin/sh \"$@\"");
        foreach (var (tool, words) in new[] { ("mdo", 2), ("sudo", 1) })
            _jails.Tool(tool, $"printf '%s ' {tool} \"$@\" | tr '\\n' ' ' >>'{Log}'; echo >>'{Log}'; [ \"$2\" = -l ] && exit 0; shift {words}; exec \"$@\"");
        // FreeBSD's chroot as the user: the stand-in stays who it is.
        _jails.Tool("chroot", "[ \"$1 $3 $5 $7\" = '-u -g -G /' ] || exit 70; shift 7; exec \"$@\"");
        _jails.Tool("inside", $"""
            for word in "$@"; do
                shift
                case $word in
                    /var/colibri-stage/*) word={root}$word ;;
                    /usr/bin/agent) word={tools}/agent ;;
                    *'exec /usr/sbin/chroot '*) word=$(printf '%s' "$word" | sed 's|/usr/sbin/chroot|{tools}/chroot|') ;;
                esac
                set -- "$@" "$word"
            done
            exec "$@"
            """);
        // Signals the processes of an agent's own jail. No more of an environment is read than a process is started with: one that makes its own endless
        // would be read for ever.
        _jails.Tool("signal-own", """
            for process in /proc/[0-9]*; do
                if head -c 131072 "$process/environ" 2>/dev/null | grep -q "COLIBRI_AGENT_ID=${2#colibri-}"; then kill "$1" "${process#/proc/}" 2>/dev/null && echo one; fi
            done
            exit 0
            """);
        // As ps(1) with -e: the environment before the arguments, both with blanks.
        _jails.Tool("ps", $"""
            printf '%s ' ps "$@" | tr '\n' ' ' >>'{Log}'; echo >>'{Log}'
            for process in /proc/[0-9]*; do
                if environment=$(head -c 131072 "$process/environ" 2>/dev/null | tr '\0\n' '  ') && [ -n "$environment" ]; then
                    printf '%6s %s%s\n' "${"{process#/proc/}"}" "$environment" "$(tr '\0\n' '  ' <"$process/cmdline")"
                fi
            done
            """);
        // The processes of a jail that was made for an agent are those with its marker. Nothing here may be told to signal -1: it would reach everybody.
        _jails.Tool("jexec", $"""
            printf '%s ' jexec "$@" | tr '\n' ' ' >>'{Log}'; echo >>'{Log}'
            case "$*" in
                "colibri-"*" /bin/kill -KILL -1") exec '{tools}/signal-own' -KILL "$1" >/dev/null ;;
                *"kill "*" -1"*) exit 70 ;;
            esac
            shift
            exec '{tools}/inside' "$@"
            """);
        _jails.Tool("jail", $"""
            printf '%s ' jail "$@" | tr '\n' ' ' | sed 's/ $//' >>'{Log}'; echo >>'{Log}'
            if [ "$2" = -R ]; then
                [ -f '{_jails.PathOf("jail.pid")}' ] || exit 1
                # jail(8): SIGTERM, stop.timeout of 10 s for those that do not heed it, and then the jail is removed with all that is in it.
                looks=0
                while [ -n "$('{tools}/signal-own' -TERM "$3")" ] && [ "$looks" -lt 100 ]; do looks=$((looks + 1)); sleep 0.1; done
                '{tools}/signal-own' -KILL "$3" >/dev/null
                exit 0
            fi
            echo $$ >'{_jails.PathOf("jail.pid")}'
            while :; do case $1 in command=*) break ;; esac; shift; done
            first=${"{1#command=}"}
            shift
            exec '{tools}/inside' "$first" "$@"
            """);
        return _fixture = new SupervisorFixture(
            configure: plain => _jails.Configure(plain, mode), jailHost: _jails.Host(OperatingSystemKind.LinuxOnFreeBsd, isRoot: false));
    }
}

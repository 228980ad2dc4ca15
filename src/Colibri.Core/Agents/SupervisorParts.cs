using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Retention;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Polling;
using Colibri.Posix.Spawning;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Agents;

/// <summary>The parts that the supervisor and its agents share.</summary>
public sealed record SupervisorParts
{
    public required ChildProcesses Processes { get; init; }

    /// <summary>Reads what agents print.</summary>
    public required EventLoop Loop { get; init; }
    public required TaskBoard Board { get; init; }

    /// <summary>Tenants and skills.</summary>
    public required Registry Registry { get; init; }

    /// <summary>Begins and ends runs on the board.</summary>
    internal RunStore Runs => field ??= new RunStore(Board, Time, Logger);

    /// <summary>Where tasks' own directories and worktrees lie.</summary>
    internal string State => field ??= StateDirectory.Of(Configuration);

    /// <summary>Where agents tell at their end what they have used.</summary>
    internal UsageFiles UsageFiles => field ?? Interlocked.CompareExchange(ref field, new UsageFiles(State, Logger), null) ?? field;

    /// <summary>The directories in which runs are.</summary>
    internal Places Places { get; init; } = new();

    /// <summary>All that is configured, as it is now.</summary>
    public Func<ColibriSettings> Settings
    {
        get => field ??= () => new ColibriSettings { Daemon = Configuration };
        init;
    }

    /// <summary>Runs git in workspaces.</summary>
    internal WorkspaceGit Git => field ??= new WorkspaceGit(new GitRunner(Processes, () => Programs.Find("git"), Time, Logger), State, Time, Logger);

    /// <summary>The places of runs in workspaces.</summary>
    internal WorkspaceRuns Workspaces => field ??= new WorkspaceRuns(Git, Places, Health, Secrets, Logger);

    /// <summary>Whether runs can work in the workspaces.</summary>
    internal WorkspaceHealth Health => field ??= new WorkspaceHealth(Git, Settings, Time, Logger);

    /// <summary>The steps of every run, before its agent gets the prompt and after its end.</summary>
    internal RunSteps Steps
    {
        get => field ??= new RunSteps(
            Placing: [new BudgetStep(Budgets), new TenantStep(), new PlaceStep(Places, Board.PlaceRunAsync, Settings, Workspaces.EnterAsync, State)],
            Checking: [new CheckStep(Settings, Secrets, Logger)])
        {
            Leaving = [Workspaces],
        };
        init;
    }

    /// <summary>The daemon's version, as agents are told it.</summary>
    public string Version { get; init; } = "0";

    /// <summary>How long an agent may live on once it has closed its standard output.</summary>
    internal TimeSpan ClosedOutputGrace { get; init; } = TimeSpan.FromSeconds(5);
    public required SessionStore Sessions { get; init; }

    /// <summary>Assembles what a task's session already has, for COLIBRI_SCHEDULER_PROMPT_INJECTION; null leaves every prompt as it is.</summary>
    public PromptAssembler? Prompts { get; init; }

    /// <summary>What agents inherit.</summary>
    public AgentEnvironment Environment { get; init; } = new();
    /// <summary>The agents' keys, which are redacted in their output.</summary>
    public Secrets Secrets { get; init; } = Secrets.None;

    /// <summary>Gets a report of how each run on a route ended; null without routes.</summary>
    public ProviderRouter? Router { get; init; }
    /// <summary>Holds the tasks of providers that fail, and gets a report of how each run ended; null without holds.</summary>
    public ProviderHolds? Holds { get; init; }
    /// <summary>Gets a report of how every start ended; null without a breaker.</summary>
    public CrashBreaker? Breaker { get; init; }
    /// <summary>Null where agents get none.</summary>
    public AgentCgroups? Cgroups { get; init; }
    public required EventHub Events { get; init; }
    public required Budgets Budgets { get; init; }

    /// <summary>Holds starts while a file system is low on room; null without a guard.</summary>
    public DiskGuard? Disk { get; init; }

    /// <summary>For agents that report no cost.</summary>
    public PriceTable Prices { get; init; } = PriceTable.Empty;

    /// <summary>What the agents' own sessions have used in all, for agents that take one up again.</summary>
    public SessionTotals SessionTotals { get; init; } = new();

    /// <summary>Says which agents' cost no budget sees in time.</summary>
    internal UnseenCosts UnseenCosts => field ?? Interlocked.CompareExchange(ref field, new UnseenCosts(Budgets, Prices, Logger), null) ?? field;
    public required ProgramPath Programs { get; init; }

    /// <summary>What the programs said of themselves; null where nobody asks them.</summary>
    public ProgramVersions? Versions { get; init; }
    public required DaemonConfiguration Configuration { get; init; }
    public required TimeProvider Time { get; init; }

    /// <summary>The board's clock, for the back-offs on it; null where it is the same.</summary>
    internal TimeProvider? BoardTime { get; init; }

    /// <summary>Programs whose start lacked something.</summary>
    internal StartRests StartRests => field ??= new StartRests(BoardTime ?? Time, Logger);
    public required ILogger Logger { get; init; }

    /// <summary>What confinement has to work with.</summary>
    public JailHost JailHost { get; init; } = new();

    /// <summary>Ends processes in jails and removes what was left there; made at its first use.</summary>
    public JailKeeper Jails => field ??= new JailKeeper(JailHost, Configuration, Processes, Time, Logger);
}

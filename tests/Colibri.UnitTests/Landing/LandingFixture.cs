using Colibri.Core.Board;
using Colibri.Core.Landing;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Sessions;
using Colibri.UnitTests.Workspaces;

namespace Colibri.UnitTests.Landing;

/// <summary>A board and a supervisor with a workspace whose repository was made by the real git.</summary>
internal sealed class LandingFixture : IAsyncDisposable
{
    private WorkspaceSettings _site;

    public LandingFixture(SupervisorFixture? supervisor = null)
    {
        Supervisor = supervisor ?? new SupervisorFixture();
        _site = new WorkspaceSettings { Name = "site", Path = Git.Repo, Base = "main" };
        Settings = Supervisor.Engine.Settings.Current with { Workspaces = [_site] };
        Health = new WorkspaceHealth(Git.Git, () => Settings, TimeProvider.System, Logger);
        Desk = NewDesk();
    }

    public GitFixture Git { get; } = new();

    public SupervisorFixture Supervisor { get; }

    public TaskBoard Board => Supervisor.Board;

    public CollectingLogger Logger { get; } = new();

    public ColibriSettings Settings { get; set; }

    public Places Places { get; } = new();

    public WorkspaceHealth Health { get; }

    public LandingDesk Desk { get; private set; }

    public WorkspaceSettings Site
    {
        get => _site;
        set
        {
            _site = value;
            Settings = Settings with { Workspaces = [.. Settings.Workspaces.Where(workspace => workspace.Name != "site"), value] };
        }
    }

    /// <summary>That of another daemon on the same files.</summary>
    public LandingDesk NewDesk(WorkspaceGit? git = null) => Desk = new LandingDesk(Board, Supervisor.Supervisor, () => Settings, git ?? Git.Git, Core.Providers.Secrets.None, Logger);

    /// <summary>As at a daemon's start.</summary>
    public async Task Sweep()
    {
        await NewDesk().SweepAsync(GitFixture.Token);
        await new TreeSweep(Board, Desk, Git.Git, Places, Logger).RunAsync(Site, await Git.Repository(), GitFixture.Token);
    }

    public async Task<BoardTask> Get(BoardTask task) => (await Board.GetAsync(task.Id))!;

    /// <summary>A task whose run has worked in a tree of its own and was recorded.</summary>
    public async Task<BoardTask> Done(string script = "echo four >>a.txt", RunEnding ending = RunEnding.Done, string? check = null, string? profile = null)
    {
        var task = await Board.CreateAsync(new NewTask { Title = "Fix the login", Workspace = "site", Check = check, MaxAttempts = 1 });
        return await Again(task, script, ending, profile);
    }

    /// <summary>A run of a queued task, from its claim to its record.</summary>
    public async Task<BoardTask> Again(BoardTask task, string script, RunEnding ending = RunEnding.Done, string? profile = null)
    {
        var (agent, claim) = await Claim(task, profile);
        var change = await Work(await Get(task), script);
        await Board.EndRunAsync(new RunEnd
        {
            AgentId = agent,
            Claim = claim,
            AgentEnded = true,
            Ending = ending,
            Verdict = ending == RunEnding.Done ? "done" : "agent-error",
            Change = change,
            Error = ending == RunEnding.Done ? null : new TaskError("agent-error", "it broke"),
        });
        return await Get(task);
    }

    public async Task<(string Agent, RunClaim Claim)> Claim(BoardTask task, string? profile = null)
    {
        var agent = Guid.CreateVersion7().ToString();
        var begun = await Board.BeginRunAsync(new RunStart
        {
            AgentId = agent,
            TaskId = task.Id,
            SessionId = agent,
            Profile = profile,
            Agent = new AgentRecord { Name = "sh", Runtime = "pi", Binary = "sh", Host = "clawdie" },
        });
        begun.Outcome.ShouldBe(EdgeOutcome.Applied, begun.Reason);
        return (agent, begun.Claim!);
    }

    /// <summary>What a run does in the task's tree, and what it leaves on the branch.</summary>
    public async Task<WorkChange> Work(BoardTask task, string script)
    {
        var repository = await Git.Repository();
        var request = await RequestOf(task);
        var tree = await Git.Trees.OpenAsync(repository, request, GitFixture.Token);
        await Git.Sh(script, tree.Path);
        var collected = await Git.Changes.CollectAsync(repository, tree, request, task.Title, GitFixture.Token);
        await Git.Trees.UnlockAsync(repository, tree, GitFixture.Token);
        return WorkspaceRuns.ChangeOf("site", request, collected);
    }

    public async Task<TreeRequest> RequestOf(BoardTask task)
    {
        var repository = await Git.Repository();
        return WorkspaceRuns.RequestOf(task, Site, await repository.BaseAsync("main", GitFixture.Token));
    }

    public async Task<string> TreeOf(BoardTask task) => Git.Trees.PathOf(await RequestOf(task));

    public Task<string> InRepo(string script) => Git.Sh(script, Git.Repo);

    /// <summary>The branches of the repository, and where work is parked.</summary>
    public async Task<string[]> References() => (await InRepo("git for-each-ref --format='%(refname)' refs/heads refs/colibri")).Split('\n');

    public async ValueTask DisposeAsync()
    {
        await Supervisor.DisposeAsync();
        Git.Dispose();
    }
}

using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Agents.Confinement;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>What a queued task is said to wait for, where several profiles are configured: the reasons of those that may take it.</summary>
[NotInParallel]
public sealed class AgentReasonTests : IAsyncDisposable
{
    private const int LeftOut = 306;

    private static readonly ProfileSettings Missing = new() { Name = "goo", Kind = "goose", Binary = "/nowhere/goose", Access = Access.Full };
    private static readonly ProfileSettings Gone = Missing with { Name = "gone", Binary = "/nowhere/other" };

    private readonly JailFolder _jails = new();
    private readonly CancellationTokenSource _stop = new();
    private SupervisorFixture? _fixture;
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        if (_fixture is not null)
            await _fixture.DisposeAsync();
        _jails.Dispose();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_task_says_what_its_profile_lacks_whatever_other_profiles_there_are(bool hasLooked)
    {
        Open(Missing, There("other"));
        if (hasLooked)
            await LookAsync();

        (await ReasonsAsync(agent: "goo")).ShouldBe(["program-missing: the program of its agent, /nowhere/goose, is not there"]);
        (await ReasonsAsync(agent: "other", hold: true)).ShouldHaveSingleItem().ShouldStartWith("held: ");
    }

    [Test]
    public async Task A_task_of_a_workspace_says_what_those_lack_that_the_workspace_allows()
    {
        Open(Missing, Gone, There("other"));

        (await ReasonsAsync(workspace: "site")).Where(reason => reason.StartsWith("program-missing", StringComparison.Ordinal)).ShouldBe(
        [
            "program-missing: the program of its agent, /nowhere/goose, is not there",
            "program-missing: the program of its agent, /nowhere/other, is not there",
        ], ignoreOrder: true);
    }

    [Test]
    public async Task A_task_that_one_of_several_can_take_says_nothing_of_the_others()
    {
        Open(Missing, There("other"));

        (await ReasonsAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_task_says_what_the_profiles_lack_that_offer_what_it_requires()
    {
        Open(Missing with { Capabilities = ["piano"] }, There("other"));

        (await ReasonsAsync(capability: "piano")).ShouldBe(["program-missing: the program of its agent, /nowhere/goose, is not there"]);
    }

    /// <summary>One lacks its program, and nothing holds the other to its access: each has a reason of its own.</summary>
    [Test]
    public async Task Reasons_of_two_sorts_count_together()
    {
        Open(Missing, There("other") with { Access = Access.Edit });

        (await ReasonsAsync()).Select(reason => reason.Split(':')[0]).ShouldBe(["program-missing", "rights"], ignoreOrder: true);
    }

    [Test]
    [Arguments("no base", "confinement: goo: jails are not set up here: COLIBRI_JAIL_ROOT_BASE is not set")]
    [Arguments("no root", "confinement: goo: jail path '@' cannot be used: there is no such directory")]
    [Arguments("no program", "program-missing: the program of its agent, /usr/bin/agent, is not inside @")]
    [Arguments("nothing", null)]
    public async Task A_task_says_why_its_profile_cannot_be_confined(string lack, string? reason)
    {
        var root = _jails.Root;
        if (lack == "no root")
            Directory.Delete(root, recursive: true);
        if (lack == "no program")
            File.Delete(root + "/usr/bin/agent");
        OpenBelow(lack == "no base" ? null : _jails.Base, Missing with { Binary = "/usr/bin/agent", Confine = new ConfineSettings { Path = root } }, There("other"));

        (await ReasonsAsync(agent: "goo")).ShouldBe(reason is null ? [] : [reason.Replace("@", root, StringComparison.Ordinal)]);
    }

    [Test]
    public async Task A_profile_that_cannot_be_confined_is_not_tried_and_the_others_go_on()
    {
        OpenBelow(null, Missing with { Binary = "/usr/bin/agent", Confine = new ConfineSettings { Path = _jails.Root } }, There("other"));
        var waiting = await _fixture!.Board.CreateAsync(new NewTask { Title = "waits", Agent = "goo" });
        await _fixture.Board.CreateAsync(new NewTask { Title = "goes", Agent = "other" });
        await LookAsync();

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the other profile's task is done");

        (await _fixture.Get(waiting)).Attempts.ShouldBe(0);
        _fixture.Logger.Of(LeftOut).ShouldBeEmpty();
    }

    // The search path ends in the fixture's directory, and no host has a program of that name.
    private static ProfileSettings There(string name) => new() { Name = name, Kind = "pi", Binary = "colibri-agent-there", Access = Access.Full };

    private void Open(params ProfileSettings[] profiles) => OpenBelow(null, profiles);

    private void OpenBelow(string? rootBase, params ProfileSettings[] profiles)
    {
        // bwrap is found beside the other stand-ins.
        _fixture = new SupervisorFixture(
            configure: plain => plain with { JailRootBase = rootBase },
            jailHost: _jails.Host(OperatingSystemKind.Linux, isRoot: false),
            searchPath: $"/usr/bin:/bin:{_jails.Tools}",
            settings: configuration => new LiveSettings(new ColibriSettings
            {
                Daemon = configuration,
                Agents = profiles,
                Workspaces = [new WorkspaceSettings { Name = "site", Path = _jails.PathOf("site"), Agents = ["goo", "gone"] }],
            }));
        var program = _fixture.PathOf("colibri-agent-there");
        File.WriteAllText(program, $"#!/bin/sh\n{SupervisorFixture.LifeCycle}\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        _fixture.Engine.Schedule(SchedulerCandidates.From(_fixture.Engine.Settings.Current, _fixture.Programs, []));
    }

    private async Task LookAsync()
    {
        var scheduler = _fixture!.Engine.Scheduler;
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
        await scheduler.AnswerAsync().WaitAsync(Shell.Deadline);
    }

    private async Task<IReadOnlyList<string>> ReasonsAsync(string? agent = null, string? workspace = null, string? capability = null, bool hold = false)
    {
        var task = await _fixture!.Board.CreateAsync(
            new NewTask { Title = "t", Agent = agent, Workspace = workspace, Capabilities = capability is null ? [] : [capability], Hold = hold });
        return [.. (_fixture.Engine.Queue.Show(task).BlockedBy ?? []).Select(reason => $"{reason.Code}: {reason.Message}")];
    }
}

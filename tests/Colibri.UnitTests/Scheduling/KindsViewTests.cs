using Colibri.Core.Agents.Launch;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Posix.Spawning;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Scheduling;

/// <summary>The kinds as the wire tells them, on a host with some programs.</summary>
[NotInParallel]
public sealed class KindsViewTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-kinds-").FullName;
    private readonly List<AgentCandidate> _candidates = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task Every_kind_of_the_protocol_but_local_is_told_in_its_order()
    {
        var kinds = (await View.ReadAsync(null)).Kinds;

        kinds.Select(kind => kind.Name).ShouldBe(Runtimes.All.Where(kind => kind != "local"));
        foreach (var kind in kinds)
        {
            kind.Transports.ShouldNotBeEmpty(kind.Name);
            kind.Access.Select(access => access.Access).ShouldBe(["read", "edit", "full"], kind.Name);
            kind.Access[^1].Held.ShouldBeTrue(kind.Name);
            kind.DocumentedOnly.ShouldBe(Runtimes.Kinds.Single(known => known.Name == kind.Name).IsDocumentedOnly ? true : null, kind.Name);
        }
    }

    [Test]
    public async Task An_installed_kind_has_its_place_its_version_and_its_profiles()
    {
        var claude = Install("claude", "echo '2.1.332 (Claude Code)'");
        Profile(new ProfileSettings { Name = "reviewer", Kind = "claude", Access = Access.Read });

        var kind = (await View.ReadAsync("claude")).Kinds.ShouldHaveSingleItem();

        (kind.Path, kind.Version, kind.Problem).ShouldBe((claude, "2.1.332 (Claude Code)", null));
        kind.Transports.ShouldContain("print");
        kind.Can.ShouldContain("resume");
        kind.Tells.Cost.ShouldBe("at-its-end");
        kind.Profiles.ShouldBe([new KindProfile { Name = "reviewer", Path = claude, Version = "2.1.332 (Claude Code)", Access = "read" }]);
    }

    [Test]
    public async Task Another_product_of_the_name_is_a_problem_of_the_kind_and_of_its_profiles()
    {
        Install("pi", "echo 'Downloading pi...'");
        Profile(new ProfileSettings { Name = "pi", Kind = "pi", Access = Access.Full });
        // A program and arguments of the operator's own may be anything.
        Profile(new ProfileSettings { Name = "mine", Kind = "pi", Binary = Install("wrapper", "exit 3"), Access = Access.Full });

        var kind = (await View.ReadAsync("pi")).Kinds.ShouldHaveSingleItem();

        kind.Problem.ShouldBe("it answers --version with 'Downloading pi...'");
        kind.Profiles.Select(profile => (profile.Name, profile.Problem)).ShouldBe([("pi", kind.Problem), ("mine", null)]);
    }

    [Test]
    [Arguments(true, "edit", "access = \"edit\" cannot be held: Pi has no rights of its own, so it may do all that its user may; confine it with confine = { path = \"/ROOT\" }, or write access = \"full\" below [agents.p]")]
    [Arguments(false, "full", "access = \"edit\" cannot be held: Pi has no rights of its own, so it may do all that its user may; confine it with confine = { path = \"/ROOT\" } below [agents.p], or say what holds: access = \"full\"")]
    public async Task An_access_that_the_kind_cannot_hold_is_a_problem(bool isStated, string access, string problem)
    {
        Install("pi", "echo 1.6.0");
        Profile(isStated ? new ProfileSettings { Name = "p", Kind = "pi", Access = Access.Edit } : new ProfileSettings { Name = "p", Kind = "pi" });

        var profile = (await View.ReadAsync("pi")).Kinds.Single().Profiles.ShouldHaveSingleItem();

        (profile.Access, profile.Problem).ShouldBe((access, problem));
    }

    /// <summary>A kind that asks for permissions is held by the answers, where its own flags hold nothing.</summary>
    [Test]
    public async Task What_an_access_becomes_over_another_transport_is_told_where_it_differs()
    {
        var goose = (await View.ReadAsync("goose")).Kinds.ShouldHaveSingleItem();

        goose.Access.Single(access => access.Access == "edit").ShouldSatisfyAllConditions(edit => edit.Held.ShouldBeFalse(), edit => edit.Words.ShouldStartWith("cannot be held: "));
        var over = goose.AccessOver.ShouldNotBeNull();
        over.Select(access => (access.Transport, access.Access, access.Held)).ShouldBe([("acp", "read", true), ("acp", "edit", true), ("acp", "full", true)]);
        over[1].Words.ShouldStartWith("asks before it acts: ");
        (await View.ReadAsync("zot")).Kinds.Single().AccessOver.ShouldBeNull();
        (await View.ReadAsync("acp")).Kinds.Single().AccessOver.ShouldBeNull();
    }

    [Test]
    public async Task A_program_with_the_name_of_a_kind_of_any_program_is_not_executed()
    {
        var mark = Path.Combine(_directory, "executed");
        Install("acp", $"echo 1.0.0; : > {mark}");

        var kind = (await View.ReadAsync("acp")).Kinds.ShouldHaveSingleItem();

        (kind.Path, kind.Version, kind.Problem, File.Exists(mark)).ShouldBe((null, null, null, false));
    }

    /// <summary>The program that speaks the protocol for a kind is another one, which answers as it likes.</summary>
    [Test]
    public async Task An_adapter_is_not_judged_by_the_answer_of_its_kind()
    {
        Install("claude-agent-acp", "echo 0.30.0");
        _candidates.Add(new AgentCandidate("c", _ => true, new SpawnRequest
        {
            Binary = "claude-agent-acp",
            Runtime = "claude",
            Transport = Transport.Acp,
            Profile = new ProfileSettings { Name = "c", Kind = "claude" },
        }));

        var profile = (await View.ReadAsync("claude")).Kinds.Single().Profiles.ShouldHaveSingleItem();

        (profile.Binary, profile.Version, profile.Problem).ShouldBe(("claude-agent-acp", "0.30.0", null));
    }

    private KindsView View => new(
        new ProgramPath(_directory, null, _directory),
        new ProgramVersions(SharedChildren.Instance, (_, _) => EnvironmentBlock.Of([new("PATH", "/usr/bin:/bin")]), Secrets.None, TimeProvider.System, NullLogger.Instance, CancellationToken.None),
        () => _candidates);

    private string Install(string name, string script)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    private void Profile(ProfileSettings profile) => _candidates.Add(new AgentCandidate(profile.Name, _ => true, new SpawnRequest
    {
        Binary = profile.Binary ?? profile.Kind,
        Runtime = profile.Kind,
        Access = profile.Access,
        IsAccessDefault = !profile.IsAccessStated,
        Profile = profile,
    }));
}

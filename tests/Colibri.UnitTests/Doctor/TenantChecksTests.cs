using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Doctor;

[NotInParallel]
public sealed class TenantChecksTests : IDisposable
{
    private readonly Installation _here = new();

    public void Dispose() => _here.Dispose();

    [Test]
    public async Task A_root_that_holds_the_agents_is_in_order_and_one_without_them_is_an_error()
    {
        Directory.CreateDirectory(_here.InFolder("roots/acme/usr/bin"));
        _here.Tenants = [new Tenant("acme", _here.InFolder("roots/acme"), default)];
        _here.Change = parts => parts with { Plan = request => Task.FromResult<ConfinementPlan?>(request.Jail is { Path: { } path } ? new Bubblewrap("/usr/bin/bwrap", JailRoot.Accept(path, _here.InFolder("roots")), hasNetwork: true) : null) };
        _here.WithClaude();

        var missing = await _here.CheckAsync("tenants", "acme agents");
        (missing.State, missing.Fix).ShouldBe((DoctorState.Error, "install them there"));
        missing.Message.ShouldEndWith("/roots/acme: claude");

        File.WriteAllText(_here.InFolder("roots/acme/usr/bin/claude"), "");
        (await _here.ExamineAsync()).Where(check => check.Group == "tenants").ShouldHaveSingleItem().State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    public async Task A_program_that_is_inside_a_tenants_root_alone_is_noted()
    {
        Directory.CreateDirectory(_here.InFolder("roots/acme/usr/bin"));
        File.WriteAllText(_here.InFolder("roots/acme/usr/bin/no-such-agent"), "");
        _here.Tenants = [new Tenant("acme", _here.InFolder("roots/acme"), default)];
        _here.Change = parts => parts with { Plan = request => request.Jail is null ? Task.FromResult<ConfinementPlan?>(null) : throw new SpawnRefusedException(SpawnRefusal.NotConfinable, "not here") };
        _here.WithProfile(new ProfileSettings { Name = "odd", Kind = "claude", Binary = "no-such-agent" });
        (await _here.CheckAsync("agents", "odd")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Note),
            check => check.Message.ShouldBe("it is not on the host and inside the root of tenant acme: it does tasks of tenants alone"));
    }

    [Test]
    public async Task A_host_that_cannot_confine_is_told_for_each_tenant()
    {
        _here.Tenants = [.. Enumerable.Range(0, 66).Select(i => new Tenant($"t{i}", "/roots/t", default))];
        _here.Change = parts => parts with { Plan = _ => throw new SpawnRefusedException(SpawnRefusal.NotConfinable, "jails are not set up here") };
        var checks = (await _here.ExamineAsync()).Where(check => check.Group == "tenants").ToList();
        checks[0].ShouldBe(new DoctorCheck("tenants", "t0", DoctorState.Error, "jails are not set up here"));
        checks[^1].ShouldBe(new DoctorCheck("tenants", "further ones", DoctorState.Note, "2 more were not looked at"));
    }
}

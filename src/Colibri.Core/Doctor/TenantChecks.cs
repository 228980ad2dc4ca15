using System.Globalization;
using Colibri.Core.Agents.Launch;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Doctor;

/// <summary>Each tenant: whether an agent could be confined in its root here.</summary>
internal sealed class TenantChecks(ExaminationParts parts)
{
    public const string Group = "tenants";

    /// <summary>The most that are looked at.</summary>
    public const int Most = 64;

    public IEnumerable<Look> Looks()
    {
        var tenants = parts.Tenants();
        foreach (var tenant in tenants.Take(Most))
            yield return new Look(Group, tenant.TenantId, _ => FindAsync(tenant));
        if (tenants.Count > Most)
            yield return new Look(Group, "further ones", finding => finding.Note(string.Create(CultureInfo.InvariantCulture, $"{tenants.Count - Most} more were not looked at")));
    }

    private async Task<IReadOnlyList<DoctorCheck>> FindAsync(Tenant tenant)
    {
        var finding = new Finding(Group, tenant.TenantId);
        SpawnRequest RequestOf(string binary) => new() { Binary = binary, Jail = new JailRequest { Path = tenant.JailRootPath } };
        try
        {
            var plan = (await parts.Plan(RequestOf("sh")).ConfigureAwait(false))!;
            finding.Ok(plan.Description);
            var binaries = parts.Candidates().Select(candidate => candidate.Template.Binary).Distinct(StringComparer.Ordinal).ToList();
            var missing = binaries.Where(binary => plan.Root.Find(binary) is null).ToList();
            if (missing.Count > 0)
                finding.Add(missing.Count == binaries.Count ? DoctorState.Error : DoctorState.Note, $"not inside {plan.Root.Path}: {string.Join(", ", missing)}", "install them there", "agents");
        }
        catch (SpawnRefusedException e)
        {
            finding.Error(e.Message);
        }
        return finding.Checks;
    }
}

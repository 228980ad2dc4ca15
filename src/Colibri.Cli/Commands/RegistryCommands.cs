using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Skills and tenants: what the daemon keeps a list of.</summary>
internal sealed class RegistryCommands(BoundCommand bound)
{
    private static readonly PositionalSpec TenantId = new("TENANT_ID", "--tenant-id", "the tenant");

    public static readonly CommandSpec[] All =
    [
        new("register-skill", CommandGroup.Registry, "add a skill, or replace one")
        {
            Positional = new PositionalSpec("NAME", "--name", "its name"),
            Options =
            [
                OptionSpec.Needed("--description", "TEXT", "what it does; - reads it from standard input"),
                OptionSpec.Needed("--category", "NAME", "what it belongs to"),
            ],
            Example = "register-skill code-review --category quality --description 'Reads a diff'",
        },
        new("list-skills", CommandGroup.Registry, "list skills")
        {
            Example = "list-skills",
        },
        new("register-tenant", CommandGroup.Registry, "add a tenant")
        {
            Positional = TenantId,
            Options = [OptionSpec.Needed("--jail-root-path", "DIR", "where its jails live on the daemon's host")],
            Example = "register-tenant acme --jail-root-path /jails/acme",
        },
        new("list-tenants", CommandGroup.Registry, "list tenants")
        {
            Example = "list-tenants",
        },
        new("delete-tenant", CommandGroup.Registry, "forget a tenant")
        {
            Positional = TenantId,
            Example = "delete-tenant acme",
        },
    ];

    public void RegisterSkill(string name, string description, string category) => bound.WillAsk(
        () => new CommandRequest
        {
            Cmd = CommandNames.RegisterSkill,
            Name = name,
            Description = bound.TextOrStdin("--description", description),
            Category = category,
        },
        (screen, reply) => screen.Line($"registered skill {Words.Plain(reply.Read(ProtocolJson.Wire.Skill).Name)}"));

    public void ListSkills() => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.ListSkills },
        (screen, reply) => Skills(screen, reply.Read(ProtocolJson.Wire.SkillList)));

    public void RegisterTenant(string tenantId, string jailRootPath) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.RegisterTenant, TenantId = tenantId, JailRootPath = jailRootPath },
        (screen, reply) => screen.Line($"registered tenant {Words.Plain(reply.Read(ProtocolJson.Wire.Tenant).TenantId)}"));

    public void ListTenants() => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.ListTenants },
        (screen, reply) => Tenants(screen, reply.Read(ProtocolJson.Wire.TenantList)));

    public void DeleteTenant(string tenantId) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.DeleteTenant, TenantId = tenantId },
        (screen, _) => screen.Line($"deleted tenant {Words.Plain(tenantId)}"));

    private static void Skills(Screen screen, SkillList list)
    {
        if (list.Skills.Count == 0)
        {
            screen.Line("no skills; add one: colibri register-skill NAME --category C --description D");
            return;
        }
        var table = new Table("NAME", "CATEGORY", new TableColumn("DESCRIPTION", Flexible: true));
        foreach (var skill in list.Skills)
            table.Add(skill.Name, skill.Category, skill.Description);
        table.Write(screen);
    }

    private static void Tenants(Screen screen, TenantList list)
    {
        if (list.Tenants.Count == 0)
        {
            screen.Line("no tenants; add one: colibri register-tenant TENANT_ID --jail-root-path DIR");
            return;
        }
        var table = new Table("TENANT", "JAIL ROOT");
        foreach (var tenant in list.Tenants)
            table.Add(tenant.TenantId, tenant.JailRootPath);
        table.Write(screen);
    }
}

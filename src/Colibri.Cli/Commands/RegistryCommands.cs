using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Skills and tenants: what the daemon keeps a list of.</summary>
internal static class RegistryCommands
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
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.RegisterSkill, Name = a.Required("--name"), Description = a.TextOrStdin("--description"),
                Category = a.Required("--category"),
            },
            Show = (screen, reply, _) => screen.Line($"registered skill {Words.Plain(reply.Read(ProtocolJson.Wire.Skill).Name)}"),
        },
        new("list-skills", CommandGroup.Registry, "list skills")
        {
            Example = "list-skills",
            Request = _ => new CommandRequest { Cmd = CommandNames.ListSkills },
            Show = (screen, reply, _) => Skills(screen, reply.Read(ProtocolJson.Wire.SkillList)),
        },
        new("register-tenant", CommandGroup.Registry, "add a tenant")
        {
            Positional = TenantId,
            Options = [OptionSpec.Needed("--jail-root-path", "DIR", "where its jails live on the daemon's host")],
            Example = "register-tenant acme --jail-root-path /jails/acme",
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.RegisterTenant, TenantId = a.Required("--tenant-id"), JailRootPath = a.Required("--jail-root-path"),
            },
            Show = (screen, reply, _) => screen.Line($"registered tenant {Words.Plain(reply.Read(ProtocolJson.Wire.Tenant).TenantId)}"),
        },
        new("list-tenants", CommandGroup.Registry, "list tenants")
        {
            Example = "list-tenants",
            Request = _ => new CommandRequest { Cmd = CommandNames.ListTenants },
            Show = (screen, reply, _) => Tenants(screen, reply.Read(ProtocolJson.Wire.TenantList)),
        },
        new("delete-tenant", CommandGroup.Registry, "forget a tenant")
        {
            Positional = TenantId,
            Example = "delete-tenant acme",
            Request = a => new CommandRequest { Cmd = CommandNames.DeleteTenant, TenantId = a.Required("--tenant-id") },
            Show = (screen, _, a) => screen.Line($"deleted tenant {Words.Plain(a.Required("--tenant-id"))}"),
        },
    ];

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

using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>Skills and tenants: what tasks may ask for by name.</summary>
internal sealed class RegistryCommands(BoundCommand bound)
{
    private static readonly PositionalSpec TenantId = PositionalSpec.Of(WireCommand.DeleteTenant.Field("tenant_id"));

    public static readonly CommandSpec[] All =
    [
        new(WireCommand.RegisterSkill, CommandGroup.Registry)
        {
            IsSeldom = true,
            Positional = PositionalSpec.Of(WireCommand.RegisterSkill.Field("name")),
            Options =
            [
                OptionSpec.Text(WireCommand.RegisterSkill.Field("description"), "TEXT").OrStdin() with { Required = true },
                OptionSpec.Text(WireCommand.RegisterSkill.Field("category"), "NAME") with { Required = true },
                OptionSpec.Text(WireCommand.RegisterSkill.Field("path"), "FILE"),
                OptionSpec.Many(WireCommand.RegisterSkill.Field("agents"), "--agent", "NAME"),
            ],
            Example = "register-skill code-review --category quality --description 'Reads a diff'",
            Note = "A task asks for it by --capability, and its agent is told description and path.",
        },
        new(WireCommand.ListSkills, CommandGroup.Registry)
        {
            IsSeldom = true,
            Example = "list-skills",
        },
        new(WireCommand.DeleteSkill, CommandGroup.Registry)
        {
            IsSeldom = true,
            Positional = PositionalSpec.Of(WireCommand.DeleteSkill.Field("name")),
            Example = "delete-skill code-review",
        },
        new(WireCommand.RegisterTenant, CommandGroup.Registry)
        {
            IsSeldom = true,
            Positional = TenantId,
            Options = [OptionSpec.Text(WireCommand.RegisterTenant.Field("jail_root_path"), "DIR")],
            Example = "register-tenant acme --jail-root-path /jails/acme",
        },
        new(WireCommand.ListTenants, CommandGroup.Registry)
        {
            IsSeldom = true,
            Example = "list-tenants",
        },
        new(WireCommand.DeleteTenant, CommandGroup.Registry)
        {
            IsSeldom = true,
            Positional = TenantId,
            Example = "delete-tenant acme",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new RegistryCommands(bound);
        app.Add("register-skill", commands.RegisterSkill);
        app.Add("list-skills", commands.ListSkills);
        app.Add("delete-skill", commands.DeleteSkill);
        app.Add("register-tenant", commands.RegisterTenant);
        app.Add("list-tenants", commands.ListTenants);
        app.Add("delete-tenant", commands.DeleteTenant);
    }

    public void RegisterSkill(string name, string description, string category, string? path = null, [Many] string[]? agent = null) => bound.WillAsk(
        () => new CommandRequest
        {
            Cmd = WireCommand.RegisterSkill.Name,
            Name = name,
            Description = bound.TextOrStdin("--description", description),
            Category = category,
            Path = path,
            Agents = agent,
        },
        (screen, reply) => screen.Line($"registered skill {Words.Plain(reply.Read(ProtocolJson.Wire.Skill).Name)}"));

    public void ListSkills() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListSkills.Name },
        (screen, reply) => Skills(screen, reply.Read(ProtocolJson.Wire.SkillList)));

    public void DeleteSkill(string name) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.DeleteSkill.Name, Name = name },
        (screen, _) => screen.Line($"deleted skill {Words.Plain(name)}"));

    public void RegisterTenant(string tenantId, string jailRootPath) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.RegisterTenant.Name, TenantId = tenantId, JailRootPath = jailRootPath },
        (screen, reply) => screen.Line($"registered tenant {Words.Plain(reply.Read(ProtocolJson.Wire.Tenant).TenantId)}"));

    public void ListTenants() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListTenants.Name },
        (screen, reply) => Tenants(screen, reply.Read(ProtocolJson.Wire.TenantList)));

    public void DeleteTenant(string tenantId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.DeleteTenant.Name, TenantId = tenantId },
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

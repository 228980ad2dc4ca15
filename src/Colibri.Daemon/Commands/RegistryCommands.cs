using System.Globalization;
using Colibri.Core.Board;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about skills and tenants.</summary>
internal sealed class RegistryCommands(Registry registry)
{
    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.RegisterSkill, RegisterSkillAsync),
        new(WireCommand.ListSkills, ListSkillsAsync),
        new(WireCommand.DeleteSkill, DeleteSkillAsync),
        new(WireCommand.RegisterTenant, RegisterTenantAsync),
        new(WireCommand.ListTenants, ListTenantsAsync),
        new(WireCommand.DeleteTenant, DeleteTenantAsync),
    ];

    private async ValueTask<Reply> RegisterSkillAsync(CommandContext context)
    {
        var request = context.Request;
        if (CommandContext.OptionalName(request.Path, "path", 4_096) is { } path && !path.StartsWith('/'))
            throw CommandContext.Bad("path", $"is '{path}'; use an absolute path");
        var agents = CommandContext.Names(request.Agents, "agents");
        var skill = new Skill(
            CommandContext.Name(request.Name, "name"), CommandContext.Text(request.Description, "description") ?? "", CommandContext.OptionalName(request.Category, "category") ?? "", default)
        {
            Path = request.Path,
            Agents = agents.Count > 0 ? agents : null,
        };
        return await registry.RegisterSkillAsync(skill).ConfigureAwait(false) is { } registered
            ? Reply.Of(registered, ProtocolJson.Wire.Skill)
            : throw new RequestException(ErrorCodes.Conflict, $"there are {Registry.MaxSkills} skills, as many as may be; delete one: colibri delete-skill NAME");
    }

    private async ValueTask<Reply> ListSkillsAsync(CommandContext context) =>
        Reply.Of(new SkillList(await registry.SkillsAsync().ConfigureAwait(false)), ProtocolJson.Wire.SkillList);

    private async ValueTask<Reply> DeleteSkillAsync(CommandContext context)
    {
        var name = CommandContext.Name(context.Request.Name, "name");
        return await registry.DeleteSkillAsync(name).ConfigureAwait(false) is { } skill
            ? Reply.Of(skill, ProtocolJson.Wire.Skill)
            : throw new RequestException(ErrorCodes.NotFound, $"there is no skill {name}; colibri list-skills shows them");
    }

    private async ValueTask<Reply> RegisterTenantAsync(CommandContext context)
    {
        var root = CommandContext.Name(context.Request.JailRootPath, "jail_root_path", 4_096);
        if (!root.StartsWith('/'))
            throw CommandContext.Bad("jail_root_path", $"is '{root}'; use an absolute path");
        return await registry.RegisterTenantAsync(CommandContext.Name(context.Request.TenantId, "tenant_id"), root).ConfigureAwait(false) is { } tenant
            ? Reply.Of(tenant, ProtocolJson.Wire.Tenant)
            : throw new RequestException(ErrorCodes.Conflict, $"there are {Registry.MaxTenants} tenants, as many as may be; delete one: colibri delete-tenant ID");
    }

    private ValueTask<Reply> ListTenantsAsync(CommandContext context) => ValueTask.FromResult(Reply.Of(new TenantList(registry.Tenants), ProtocolJson.Wire.TenantList));

    private async ValueTask<Reply> DeleteTenantAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TenantId, "tenant_id");
        var deletion = await registry.DeleteTenantAsync(id).ConfigureAwait(false);
        if (deletion.Tenant is { } tenant)
            return Reply.Of(tenant, ProtocolJson.Wire.Tenant);
        throw deletion.Unended == 0
            ? new RequestException(ErrorCodes.NotFound, $"there is no tenant {id}; colibri list-tenants shows them")
            : new RequestException(ErrorCodes.Conflict, string.Create(
                CultureInfo.InvariantCulture, $"tenant {id} has {deletion.Unended} tasks that have not ended{(deletion.First is { } first ? $", first task {first}" : "")}; cancel them first, or wait for their end"));
    }
}

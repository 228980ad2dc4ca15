using Colibri.Core.Board;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about skills and tenants.</summary>
internal sealed class RegistryCommands(TaskBoard board)
{
    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.RegisterSkill, RegisterSkillAsync),
        new(WireCommand.ListSkills, ListSkillsAsync),
        new(WireCommand.RegisterTenant, RegisterTenantAsync),
        new(WireCommand.ListTenants, ListTenantsAsync),
        new(WireCommand.DeleteTenant, DeleteTenantAsync),
    ];

    private async ValueTask<Reply> RegisterSkillAsync(CommandContext context)
    {
        var skill = await board.RegisterSkillAsync(
            CommandContext.Name(context.Request.Name, "name"),
            CommandContext.Text(context.Request.Description, "description") ?? "",
            CommandContext.OptionalName(context.Request.Category, "category") ?? "").ConfigureAwait(false);
        return Reply.Of(skill, ProtocolJson.Wire.Skill);
    }

    private async ValueTask<Reply> ListSkillsAsync(CommandContext context) =>
        Reply.Of(new SkillList(await board.SkillsAsync().ConfigureAwait(false)), ProtocolJson.Wire.SkillList);

    private async ValueTask<Reply> RegisterTenantAsync(CommandContext context)
    {
        var root = CommandContext.Name(context.Request.JailRootPath, "jail_root_path", 4_096);
        if (!root.StartsWith('/'))
            throw CommandContext.Bad("jail_root_path", $"is '{root}'; use an absolute path");
        var tenant = await board.RegisterTenantAsync(CommandContext.Name(context.Request.TenantId, "tenant_id"), root).ConfigureAwait(false);
        return Reply.Of(tenant, ProtocolJson.Wire.Tenant);
    }

    private async ValueTask<Reply> ListTenantsAsync(CommandContext context) =>
        Reply.Of(new TenantList(await board.TenantsAsync().ConfigureAwait(false)), ProtocolJson.Wire.TenantList);

    private async ValueTask<Reply> DeleteTenantAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TenantId, "tenant_id");
        return await board.DeleteTenantAsync(id).ConfigureAwait(false) is { } tenant
            ? Reply.Of(tenant, ProtocolJson.Wire.Tenant)
            : throw new RequestException(ErrorCodes.NotFound, $"there is no tenant {id}; colibri list-tenants shows them");
    }
}

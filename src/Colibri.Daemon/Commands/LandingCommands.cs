using Colibri.Core;
using Colibri.Core.Landing;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about what runs have changed, and what waits for a person.</summary>
internal sealed class LandingCommands(Engine engine)
{
    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.GetChange, GetAsync),
        new(WireCommand.LandTask, LandAsync),
        new(WireCommand.DiscardTask, DiscardAsync),
        new(WireCommand.Inbox, async _ => Reply.Of(await engine.InboxAsync().ConfigureAwait(false), ProtocolJson.Wire.InboxReport)),
    ];

    private async ValueTask<Reply> GetAsync(CommandContext context)
    {
        var task = await TaskAsync(context).ConfigureAwait(false);
        return await AnswerAsync(async () =>
        {
            var (change, patch) = await engine.Landing.ShowAsync(task, context.Request.Patch is true ? LandingDesk.MaxPatch : 0).ConfigureAwait(false);
            return new ChangeAnswer(change, patch);
        }).ConfigureAwait(false);
    }

    private async ValueTask<Reply> LandAsync(CommandContext context)
    {
        var task = await TaskAsync(context).ConfigureAwait(false);
        return await AnswerAsync(async () =>
        {
            var (change, check) = await engine.Landing.LandAsync(task, context.Request.Force is true).ConfigureAwait(false);
            return new ChangeAnswer(change, Check: check);
        }).ConfigureAwait(false);
    }

    private async ValueTask<Reply> DiscardAsync(CommandContext context)
    {
        var task = await TaskAsync(context).ConfigureAwait(false);
        return await AnswerAsync(async () => new ChangeAnswer(await engine.Landing.DiscardAsync(task, context.Request.Force is true).ConfigureAwait(false))).ConfigureAwait(false);
    }

    private async Task<BoardTask> TaskAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        return await engine.Board.GetAsync(id).ConfigureAwait(false) ?? throw new RequestException(ErrorCodes.NotFound, $"there is no task {id}; colibri list-tasks shows them");
    }

    private static async Task<Reply> AnswerAsync(Func<Task<ChangeAnswer>> work)
    {
        try
        {
            return Reply.Of(await work().ConfigureAwait(false), ProtocolJson.Wire.ChangeAnswer);
        }
        catch (LandingRefusedException e)
        {
            throw new RequestException(e.IsMissing ? ErrorCodes.NotFound : ErrorCodes.Conflict, e.Message);
        }
    }
}

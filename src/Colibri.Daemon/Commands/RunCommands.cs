using Colibri.Core.Board;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about runs.</summary>
internal sealed class RunCommands(TaskBoard board)
{
    private const int DefaultListLimit = 100;
    private const int MaxListLimit = 1_000;

    /// <summary>Characters of text in one page: a thousand long errors must not become one reply.</summary>
    private const int MaxPageCharacters = 4 * 1024 * 1024;

    public IEnumerable<CommandHandler> Handlers => [new(WireCommand.ListRuns, ListAsync)];

    private async ValueTask<Reply> ListAsync(CommandContext context)
    {
        var query = new RunQuery
        {
            TaskId = CommandContext.OptionalName(context.Request.TaskId, "task_id"),
            Limit = CommandContext.Number(context.Request.Limit, "limit", DefaultListLimit, 1, MaxListLimit),
            Before = CommandContext.OptionalName(context.Request.Before, "before"),
            MaxCharacters = MaxPageCharacters,
        };
        try
        {
            return await board.ListRunsAsync(query).ConfigureAwait(false) is { } page
                ? Reply.Of(page, ProtocolJson.Wire.RunList)
                : throw new RequestException(ErrorCodes.NotFound, $"there is no task {query.TaskId}; colibri list-tasks shows them");
        }
        catch (ArgumentException)
        {
            throw CommandContext.Bad("before", $"is '{query.Before}', which is no run's id");
        }
    }
}

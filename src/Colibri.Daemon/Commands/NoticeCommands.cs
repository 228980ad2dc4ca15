using Colibri.Core;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about who is told.</summary>
internal sealed class NoticeCommands(Engine engine)
{
    private const int UsualLimit = 100;

    private const int MaxLimit = 1_000;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.ListNotices, ListAsync),
        new(WireCommand.TestSink, TestAsync),
        new(WireCommand.RetryNotices, RetryAsync),
    ];

    private async ValueTask<Reply> ListAsync(CommandContext context)
    {
        var limit = (int)(CommandContext.OptionalNumber(context.Request.Limit, "limit", 1, MaxLimit) ?? UsualLimit);
        var notices = await engine.NoticesAsync(CommandContext.OptionalName(context.Request.Sink, "sink"), limit).ConfigureAwait(false);
        return Reply.Of(new NoticeList(notices), ProtocolJson.Wire.NoticeList);
    }

    private async ValueTask<Reply> TestAsync(CommandContext context)
    {
        var sink = CommandContext.Name(context.Request.Sink, "sink");
        try
        {
            if (await engine.TestSinkAsync(sink).ConfigureAwait(false) is { } problem)
                throw new RequestException(ErrorCodes.Unavailable, $"{sink} was not told: {problem}");
        }
        catch (KeyNotFoundException e)
        {
            throw new RequestException(ErrorCodes.NotFound, e.Message);
        }
        return Report();
    }

    private async ValueTask<Reply> RetryAsync(CommandContext context)
    {
        try
        {
            await engine.RetryNoticesAsync(context.Request.Sink is { } sink ? CommandContext.Name(sink, "sink") : null).ConfigureAwait(false);
        }
        catch (KeyNotFoundException e)
        {
            throw new RequestException(ErrorCodes.NotFound, e.Message);
        }
        return Report();
    }

    private Reply Report() => Reply.Of(engine.Sinks ?? new SinkReport([]), ProtocolJson.Wire.SinkReport);
}

using System.Threading.Channels;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top;

/// <summary>Brings the lines of one page, for as long as it is open.</summary>
internal sealed class TopPages(CliSession session, ChannelWriter<TopItem> items, TimeProvider time)
{
    private static readonly TimeSpan BetweenDetails = TimeSpan.FromSeconds(1);
    private readonly Channel<(int Page, Pane? Pane)> _changes = Channel.CreateBounded<(int, Pane?)>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>What the open page is about has changed.</summary>
    public void Changed(TopPage page, Pane? pane) => _changes.Writer.TryWrite((page.Id, pane));

    /// <summary>What a page is refused says on itself, so that nothing ends unseen.</summary>
    public async Task LoadAsync(TopPage page, Pane? pane, int width, CancellationToken cancellation)
    {
        try
        {
            switch (page.Kind)
            {
                case PageKind.Help:
                    await SendAsync(page, View.HelpLines.All, appends: false, cancellation).ConfigureAwait(false);
                    break;
                case PageKind.Diff:
                    await SendAsync(page, await DiffAsync(page.Subject, width).ConfigureAwait(false), appends: false, cancellation).ConfigureAwait(false);
                    break;
                case PageKind.Details:
                    await SendAsync(page, await DetailsAsync(page.Subject, pane, width).ConfigureAwait(false), appends: false, cancellation).ConfigureAwait(false);
                    await Task.WhenAll(FollowAsync(page, pane, width, cancellation), RenewAsync(page, width, cancellation)).ConfigureAwait(false);
                    break;
                default:
                    await FollowAsync(page, pane, width, cancellation).ConfigureAwait(false);
                    break;
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception e)
        {
            await SendAsync(page, [.. Columns.Wrap(Words.Plain(e.Message), width).Select(line => StyledLine.Of(line, e is RefusedException ? Tone.Attention : Tone.Bad))], appends: true, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task RenewAsync(TopPage page, int width, CancellationToken cancellation)
    {
        await foreach (var (changed, pane) in _changes.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            if (changed != page.Id)
                continue;
            await SendAsync(page, await DetailsAsync(page.Subject, pane, width).ConfigureAwait(false), appends: false, cancellation).ConfigureAwait(false);
            await Task.Delay(BetweenDetails, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<List<StyledLine>> DiffAsync(Subject subject, int width)
    {
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetChange.Name, TaskId = subject.TaskId ?? subject.Task, Patch = true }).ConfigureAwait(false);
        return StyledLine.Printed(width, time.GetUtcNow(), screen => ChangeView.Write(screen, subject.Task!, reply.Read(ProtocolJson.Wire.ChangeAnswer)));
    }

    private async Task<List<StyledLine>> DetailsAsync(Subject subject, Pane? pane, int width)
    {
        var task = subject.TaskId is null ? null
            : (await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = subject.TaskId }).ConfigureAwait(false)).Read(ProtocolJson.Wire.BoardTask);
        return StyledLine.Printed(width, time.GetUtcNow(), screen =>
        {
            if (pane is not null)
                PaneView.Block(screen, pane);
            if (pane is not null && task is not null)
                screen.Line();
            if (task is not null)
                TaskView.Block(screen, task);
            screen.Line();
            screen.Line(screen.Paint("session", Tone.Strong));
        });
    }

    private async Task FollowAsync(TopPage page, Pane? pane, int width, CancellationToken cancellation)
    {
        var request = new CommandRequest { Cmd = WireCommand.FollowSession.Name, SessionId = pane?.SessionId, TaskId = pane?.SessionId is null ? page.Subject.TaskId : null };
        if (request is { SessionId: null, TaskId: null })
            return;
        using var client = await ColibriClient.ConnectAsync(session.SocketPath, cancellation).ConfigureAwait(false);
        CliSession.Accepted(await client.SendAsync(request, null, cancellation).ConfigureAwait(false));
        await foreach (var change in client.ReadEventsAsync(cancellation).ConfigureAwait(false))
        {
            var lines = StyledLine.Printed(width, time.GetUtcNow(), screen =>
            {
                if (change.Entry is { } entry)
                    SessionView.Write(screen, entry, full: false);
                else if (change.Missed is { } missed)
                    screen.Line($"gone from the disk: {Words.Number(missed)} of its entries");
            });
            await SendAsync(page, lines, appends: true, cancellation).ConfigureAwait(false);
        }
    }

    private ValueTask SendAsync(TopPage page, IReadOnlyList<StyledLine> lines, bool appends, CancellationToken cancellation) =>
        items.WriteAsync(new TopItem.PageLines(page.Id, lines, appends), cancellation);
}

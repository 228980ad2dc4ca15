using System.Threading.Channels;
using Colibri.Cli.Output;
using Colibri.Cli.Top.Actions;
using Colibri.Cli.Top.View;
using Colibri.Protocol.Client;

namespace Colibri.Cli.Top;

/// <summary>
/// The one owner of state and screen. It takes what has come, draws what events change at most four times a second, and what a key changes at once, and writes only what changed. Beside it run the feed,
/// the lines of the open page, and the actions, each of which answers by an item.
/// </summary>
internal sealed class TopLoop : IDisposable
{
    /// <summary>Items that wait; the sender of a further one waits as well.</summary>
    public const int MostWaiting = 1_024;

    private const int MostActions = 8;
    private static readonly TimeSpan BetweenFrames = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Channel<TopItem> _items;
    private readonly CliSession _session;
    private readonly ITopTerminal _terminal;
    private readonly TimeProvider _time;
    private readonly TopModel _model = new();
    private readonly TopState _state;
    private readonly TopFeed _feed;
    private readonly TopPages _pages;
    private readonly Painter _painter;
    private readonly ITimer _timer;
    private readonly List<Task> _actions = [];
    private (CancellationTokenSource Stop, Task Loading)? _page;
    private long _lastFrame;
    private bool _mustDraw = true;

    public TopLoop(CliSession session, Channel<TopItem> items, ITopTerminal terminal, bool colour, TimeProvider time)
    {
        (_session, _items, _terminal, _time) = (session, items, terminal, time);
        _state = new TopState(_model);
        _feed = new TopFeed(session, items.Writer);
        _pages = new TopPages(session, items.Writer, time);
        _painter = new Painter(colour);
        _timer = time.CreateTimer(static writer => ((ChannelWriter<TopItem>)writer!).TryWrite(new TopItem.Tick()), items.Writer, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public static Channel<TopItem> NewItems() => Channel.CreateBounded<TopItem>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    /// <summary>Until the operator quits, a signal ends it, or the terminal is gone.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var feeding = _feed.RunAsync(ending.Token);
        try
        {
            _terminal.Enter();
            Draw();
            while (await NextAsync(feeding, ending.Token).ConfigureAwait(false))
            {
                while (_items.Reader.TryRead(out var item))
                {
                    if (!Take(item, ending.Token))
                        return;
                }
                DrawInTime();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // EIO or EPIPE: nobody sees it any more.
        }
        finally
        {
            _terminal.Leave();
            await ending.CancelAsync().ConfigureAwait(false);
            _items.Writer.TryComplete();
            await LeavePageAsync().ConfigureAwait(false);
            await Task.WhenAll([feeding, .. _actions]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Waits for an item. A feed that has ended is a defect, and its exception is the program's.</summary>
    private async Task<bool> NextAsync(Task feeding, CancellationToken cancellation)
    {
        var next = _items.Reader.WaitToReadAsync(cancellation);
        if (next.IsCompleted)
            return await next.ConfigureAwait(false);
        var waiting = next.AsTask();
        if (await Task.WhenAny(waiting, feeding).ConfigureAwait(false) == feeding)
            await feeding.ConfigureAwait(false);
        return await waiting.ConfigureAwait(false);
    }

    /// <returns>Whether the loop goes on.</returns>
    private bool Take(TopItem item, CancellationToken cancellation)
    {
        _mustDraw |= item is not TopItem.Tick;
        switch (item)
        {
            case TopItem.End:
                return false;
            case TopItem.Typed(var key) when !Frame.Fits(_terminal.Size.Width, _terminal.Size.Height):
                // What cannot be seen is not answered.
                return key.Letter != 'q';
            case TopItem.Typed(var key):
                if (!Take(_state.Take(key), cancellation))
                    return false;
                // A key is answered at once.
                _lastFrame = 0;
                break;
            case TopItem.Suspend:
                _terminal.Leave();
                _terminal.Stop();
                Anew(cancellation);
                break;
            case TopItem.Redraw(var anew):
                if (anew)
                    Anew(cancellation);
                else if (_state.Anew() is { } page)
                    Load(page, cancellation);
                _lastFrame = 0;
                break;
            case TopItem.Change(var change):
                _model.Take(change);
                if (_state.Page is { Kind: PageKind.Details, Subject: var subject } details && ((change.Task is { } task && task.Id == subject.TaskId) || (change.Pane is { } pane && pane.Id == subject.AgentId)))
                    _pages.Changed(details, subject.PaneIn(_model));
                break;
            case TopItem.Report report:
                Take(report);
                break;
            case TopItem.Away(var why):
                _model.Away = why;
                break;
            case TopItem.Done(var words, var isWrong):
                _state.Say(words, isWrong);
                _feed.Renew();
                break;
            case TopItem.PageLines(var id, var lines, var appends):
                if (_state.Page is { } open && open.Id == id)
                    open.Take(lines, appends);
                break;
            default:
                // A tick: ages are drawn anew.
                _mustDraw = true;
                break;
        }
        return true;
    }

    private void Take(TopItem.Report report)
    {
        _model.Away = null;
        if (report.Status is { } status)
            _model.Take(status);
        if (report.Budget is { } budget)
            _model.Take(budget);
        if (report.Inbox is { } inbox)
            _model.Take(inbox);
        if (report.Tasks is { } tasks)
            _model.TakeAll(tasks, report.MoreTasks);
        if (report.Snapshot is { } snapshot)
            _model.TakeAll(snapshot.Panes);
        if (report.Renewed is { } renewed)
            _model.Renew(renewed);
    }

    private bool Take(Effect? effect, CancellationToken cancellation)
    {
        switch (effect)
        {
            case Effect.Quit:
                return false;
            case Effect.DrawAnew:
                _painter.Forget();
                break;
            case Effect.Perform(var action, var agent):
                Perform(action, agent);
                break;
            case Effect.Load(var page):
                Load(page, cancellation);
                break;
            case Effect.Leave when _state.Anew() is { } below:
                Load(below, cancellation);
                break;
            case Effect.Leave:
                StopPage();
                break;
        }
        return true;
    }

    private void Perform(TopAction action, string agent)
    {
        _actions.RemoveAll(task => task.IsCompleted);
        if (_actions.Count >= MostActions)
            _state.Say($"{MostActions} actions are under way; wait for one to end", isWrong: true);
        else
            _actions.Add(PerformAsync(action, agent));
    }

    private async Task PerformAsync(TopAction action, string agent)
    {
        TopItem.Done done;
        try
        {
            var reply = await _session.AskAsync(action.Request).ConfigureAwait(false);
            done = new TopItem.Done($"{action.Outcome(reply, agent)}   ({action.Twin})", IsWrong: false);
        }
        catch (RefusedException e)
        {
            done = new TopItem.Done($"{e.Message} ({e.Error.Code})", IsWrong: true);
        }
        catch (Exception e)
        {
            // Whatever it was, the operator must not take the action for done.
            done = new TopItem.Done(e.Message, IsWrong: true);
        }
        // The loop may have ended meanwhile.
        while (await _items.Writer.WaitToWriteAsync().ConfigureAwait(false) && !_items.Writer.TryWrite(done))
        {
        }
    }

    private void Load(TopPage page, CancellationToken cancellation)
    {
        StopPage();
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _page = (stop, _pages.LoadAsync(page, page.Subject.PaneIn(_model), _terminal.Size.Width, stop.Token));
    }

    /// <summary>The lines that are under way answer to a page that is gone, and end by themselves: they are awaited with the actions.</summary>
    private void StopPage()
    {
        if (_page is not { } page)
            return;
        _page = null;
        page.Stop.Cancel();
        _actions.RemoveAll(task => task.IsCompleted);
        _actions.Add(EndAsync(page.Stop, page.Loading));
    }

    private static async Task EndAsync(CancellationTokenSource stop, Task loading)
    {
        await loading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task LeavePageAsync()
    {
        if (_page is not { } page)
            return;
        _page = null;
        await page.Stop.CancelAsync().ConfigureAwait(false);
        await EndAsync(page.Stop, page.Loading).ConfigureAwait(false);
    }

    /// <summary>The terminal is taken again, after a stop.</summary>
    private void Anew(CancellationToken cancellation)
    {
        _terminal.Enter();
        _painter.Forget();
        if (_state.Anew() is { } page)
            Load(page, cancellation);
    }

    private void DrawInTime()
    {
        if (!_mustDraw)
            return;
        var since = _lastFrame == 0 ? BetweenFrames : _time.GetElapsedTime(_lastFrame);
        if (since >= BetweenFrames)
            Draw();
        else
            _timer.Change(BetweenFrames - since, Timeout.InfiniteTimeSpan);
    }

    private void Draw()
    {
        _mustDraw = false;
        _lastFrame = _time.GetTimestamp();
        var (width, height) = _terminal.Size;
        var frame = _painter.Frame(Frame.Draw(_state, width, height, _time.GetUtcNow()));
        if (frame.Length > 0)
            _terminal.Write(frame);
        // Ages are on the main page alone, and only of something.
        var hasAges = _state.Page is null && (_model.Living > 0 || _model.Inbox.Items.Count > 0 || _model.Queue.Count > 0);
        _timer.Change(hasAges ? Second : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}

using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Cli.Top.View;
using Colibri.Posix.Terminals;

namespace Colibri.Cli.Top;

/// <summary><c>top</c>: the daemon at a glance, for as long as it is left open.</summary>
internal static class TopCommand
{
    private const string Name = "top";

    public static async Task<int> RunAsync(CliSession session, CliHost host, bool once)
    {
        if (session.Json)
            throw new UsageException("top prints no JSON; type: colibri snapshot --json, or colibri inbox --json", Name);
        if (once)
            return await PrintAsync(session, host).ConfigureAwait(false);
        if (!host.IsTerminal || !TerminalDevice.IsTerminal(TerminalDevice.Input) || !TerminalDevice.IsTerminal(TerminalDevice.Output))
            throw new UsageException("top needs a terminal for its input and its output; type: colibri top --once", Name);
        if (host.Environment("TERM") is null or "" or "dumb")
            throw new UsageException("this terminal cannot show a screen (TERM is dumb or not set); type: colibri top --once", Name);
        // A daemon that was never there is an error; one that goes away later is waited for.
        (await session.ConnectAsync().ConfigureAwait(false)).Dispose();
        var items = TopLoop.NewItems();
        using var terminal = new TopTerminal(host.Stdout, items.Writer);
        using var loop = new TopLoop(session, items, terminal, string.IsNullOrEmpty(host.Environment("NO_COLOR")), host.Time);
        terminal.ReadKeys();
        await loop.RunAsync(session.Cancellation).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> PrintAsync(CliSession session, CliHost host)
    {
        var report = await TopFeed.AskAsync(session, session.Cancellation).ConfigureAwait(false);
        var model = new TopModel();
        model.Take(report.Status!);
        model.Take(report.Budget!);
        model.Take(report.Inbox!);
        model.TakeAll(report.Tasks!, report.MoreTasks);
        model.TakeAll(report.Snapshot!.Panes);
        foreach (var line in Frame.Lines(model, Math.Max(host.Width, Frame.LeastWidth), host.Time.GetUtcNow()))
            session.Screen.Line(line);
        return ExitCodes.Done;
    }
}

using System.Text;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Metrics;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>The daemon for a monitoring program.</summary>
internal sealed class MetricsCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new("metrics", CommandGroup.Daemon, "print the daemon as metrics for Prometheus")
        {
            IsSeldom = true,
            Options = [OptionSpec.Flag("--openmetrics", "as OpenMetrics 1.0, not as the text format 0.0.4")],
            Example = "metrics > /var/lib/node_exporter/colibri.prom.new",
            Note = "For a textfile collector, rename the file once it is whole: a collector must never read half of it.",
        },
        new(WireCommand.GetMetrics, CommandGroup.Daemon)
        {
            IsSeldom = true,
            Example = "get-metrics",
            Note = "It prints JSON, with --json or without.",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new MetricsCommands(bound);
        app.Add("metrics", commands.Print);
        app.Add("get-metrics", commands.Get);
    }

    public void Print(bool openmetrics = false) => bound.Will(async session =>
    {
        using var client = await session.ConnectAsync().ConfigureAwait(false);
        var readings = await MetricsReadings.ReadAsync(
            async request => CliSession.Accepted(await client.SendAsync(request, null, session.Cancellation).ConfigureAwait(false))).ConfigureAwait(false);
        // The screen ends the last line.
        session.Screen.Raw(Encoding.UTF8.GetBytes(MetricsText.Of(readings, openmetrics).TrimEnd('\n')));
        return ExitCodes.Done;
    });

    public void Get() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.GetMetrics.Name }, (screen, reply) => screen.Raw(reply.Data));
}

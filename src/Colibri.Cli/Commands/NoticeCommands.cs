using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>Who is told of what waits for a person.</summary>
internal sealed class NoticeCommands(BoundCommand bound)
{
    public static readonly CommandSpec[] All =
    [
        new("notify", CommandGroup.Daemon, "show who is told of what waits for you, test it, or try again")
        {
            Positional = new PositionalSpec("ACTION", "--action", "test a sink, or retry what could not be told") { Optional = true, Choices = Choices.NotifyActions },
            Second = new PositionalSpec("NAME", "--name", "the sink; with retry, all where none is named") { Optional = true },
            Example = "notify test ops",
        },
        new(WireCommand.ListNotices, CommandGroup.Daemon)
        {
            Options = [OptionSpec.Number(WireCommand.ListNotices.Field("limit")), OptionSpec.Text(WireCommand.ListNotices.Field("sink"), "NAME")],
            Example = "list-notices --sink ops",
            IsSeldom = true,
        },
        new(WireCommand.TestSink, CommandGroup.Daemon) { Positional = PositionalSpec.Of(WireCommand.TestSink.Field("sink")), Example = "test-sink ops", IsSeldom = true },
        new(WireCommand.RetryNotices, CommandGroup.Daemon) { Options = [OptionSpec.Text(WireCommand.RetryNotices.Field("sink"), "NAME")], Example = "retry-notices --sink ops", IsSeldom = true },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new NoticeCommands(bound);
        app.Add("notify", commands.Notify);
        app.Add("list-notices", commands.List);
        app.Add("test-sink", commands.Test);
        app.Add("retry-notices", commands.Retry);
    }

    public void Notify([NotifyAction] string? action = null, string? name = null)
    {
        switch (action, name)
        {
            case (null, null):
                Show();
                break;
            case ("test", { } sink):
                Test(sink);
                break;
            case ("retry", _):
                Retry(name);
                break;
            default:
                throw bound.Wrong("notify test needs NAME: colibri notify test ops");
        }
    }

    public void List(int? limit = null, string? sink = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListNotices.Name, Limit = limit, Sink = sink },
        (screen, reply) => NoticeView.Write(screen, reply.Read(ProtocolJson.Wire.NoticeList)));

    public void Test(string sink) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.TestSink.Name, Sink = sink },
        (screen, reply) =>
        {
            screen.Line($"{Words.Plain(sink)} was told");
            NoticeView.Write(screen, reply.Read(ProtocolJson.Wire.SinkReport));
        });

    public void Retry(string? sink = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.RetryNotices.Name, Sink = sink },
        (screen, reply) => NoticeView.Write(screen, reply.Read(ProtocolJson.Wire.SinkReport)));

    private void Show() => bound.Will(async session =>
    {
        var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.Status.Name }).ConfigureAwait(false);
        var sinks = reply.Read(ProtocolJson.Wire.StatusReport).Notify ?? new SinkReport([]);
        if (session.Json)
            session.Screen.Raw(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(sinks, ProtocolJson.Wire.SinkReport));
        else
            NoticeView.Write(session.Screen, sinks);
        return ExitCodes.Done;
    });
}

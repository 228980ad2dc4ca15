using System.Runtime.InteropServices;
using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>watch</c>: a line an event, until the operator has seen enough.</summary>
internal static class EventWatch
{
    public static async Task<int> RunAsync(CliSession session, string[]? topics)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(session.Cancellation);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Enough);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Enough);
        void Enough(PosixSignalContext signal)
        {
            signal.Cancel = true;
            enough.Cancel();
        }

        try
        {
            using var client = await session.ConnectAsync().ConfigureAwait(false);
            CliSession.Accepted(await client.SubscribeAsync(topics, enough.Token).ConfigureAwait(false));
            var view = new EventView(session.Screen);
            await foreach (var line in client.ReadEventLinesAsync(enough.Token).ConfigureAwait(false))
            {
                if (session.Json)
                {
                    session.Screen.Raw(line);
                    continue;
                }
                if (JsonSerializer.Deserialize(line.Span, ProtocolJson.Wire.Event) is { } change)
                    view.Write(change);
                session.Screen.Flush();
            }
        }
        catch (OperationCanceledException)
        {
        }
        return ExitCodes.Done;
    }
}

using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Following;

/// <summary><c>follow-session</c>: entries as they are written.</summary>
internal static class SessionLines
{
    /// <summary>Shows what comes, until the end of the stream.</summary>
    /// <param name="session">The run of the command.</param>
    /// <param name="request">Asks for the stream.</param>
    /// <param name="full">Long tool results whole.</param>
    public static async Task<int> RunAsync(CliSession session, CommandRequest request, bool full)
    {
        using var client = await session.ConnectAsync().ConfigureAwait(false);
        CliSession.Accepted(await client.SendAsync(request, null, session.Cancellation).ConfigureAwait(false));
        await foreach (var line in client.ReadEventLinesAsync(session.Cancellation).ConfigureAwait(false))
            Show(session, line, full);
        return ExitCodes.Done;
    }

    /// <returns>The entry's number; 0 for a line that is none.</returns>
    public static long Show(CliSession session, ReadOnlyMemory<byte> line, bool full)
    {
        var change = JsonSerializer.Deserialize(line.Span, ProtocolJson.Wire.Event);
        if (session.Json)
        {
            session.Screen.Raw(line);
        }
        else if (change?.Entry is { } entry)
        {
            SessionView.Write(session.Screen, entry, full);
            session.Screen.Flush();
        }
        else if (change?.Missed is { } missed)
        {
            session.Screen.Line(session.Screen.Paint($"gone from the disk: {Words.Number(missed)} of its entries", Tone.Attention));
            session.Screen.Flush();
        }
        return change?.Entry?.Seq ?? 0;
    }
}

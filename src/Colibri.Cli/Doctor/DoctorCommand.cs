using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Doctor;

/// <summary><c>colibri doctor</c>: what this program sees by itself, then what the daemon has found.</summary>
internal static class DoctorCommand
{
    // The daemon takes 25 s at most.
    private static readonly TimeSpan ReplyTimeout = TimeSpan.FromSeconds(45);

    /// <returns>0 where nothing is an error, 1 where something is, 3 without a daemon.</returns>
    public static async Task<int> RunAsync(CliSession session, ClientHost host)
    {
        DaemonUnreachableException? failure = null;
        Reply? reply = null;
        try
        {
            reply = await AskAsync(session).ConfigureAwait(false);
        }
        catch (DaemonUnreachableException e)
        {
            failure = e;
        }
        var own = await new ClientChecks(host, session.SocketPath, failure).FindAsync(session.Cancellation).ConfigureAwait(false);
        IReadOnlyList<DoctorCheck> checks = [.. own, .. reply?.Read(ProtocolJson.Wire.DoctorReport).Checks ?? []];
        if (session.Json)
            session.Screen.Raw(reply?.Data ?? JsonSerializer.SerializeToUtf8Bytes(new DoctorReport(own), ProtocolJson.Wire.DoctorReport));
        else
            DoctorView.Write(session.Screen, checks);
        return failure is not null ? ExitCodes.NoDaemon : checks.Any(check => check.State == DoctorState.Error) ? ExitCodes.Refused : ExitCodes.Done;
    }

    private static async Task<Reply> AskAsync(CliSession session)
    {
        using var client = await session.ConnectAsync().ConfigureAwait(false);
        return CliSession.Accepted(await client.SendAsync(new CommandRequest { Cmd = WireCommand.Doctor.Name }, ReplyTimeout, session.Cancellation).ConfigureAwait(false));
    }
}

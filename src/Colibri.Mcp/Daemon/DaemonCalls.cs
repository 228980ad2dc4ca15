using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;

namespace Colibri.Mcp.Daemon;

/// <summary>The daemon as this program asks it: each request on a connection of its own, so that a slow one delays no other.</summary>
/// <param name="socketPath">The daemon's socket.</param>
internal sealed class DaemonCalls(string socketPath)
{
    private static readonly TimeSpan LandingPatience = TimeSpan.FromDays(1);
    private static readonly TimeSpan DoctorPatience = TimeSpan.FromSeconds(45);

    public string SocketPath => socketPath;

    /// <summary>Sends one request and reads its reply.</summary>
    /// <exception cref="RefusedException">The daemon said no.</exception>
    /// <exception cref="DaemonUnreachableException">No answer came.</exception>
    public async Task<Reply> AskAsync(CommandRequest request, CancellationToken cancellation)
    {
        using var client = await ColibriClient.ConnectAsync(socketPath, cancellation).ConfigureAwait(false);
        // The check of a merge may take as long as its workspace allows, the doctor asks programs, and stopping an agent may take all of its grace.
        var timeout = request.Cmd == WireCommand.LandTask.Name ? LandingPatience
            : request.Cmd == WireCommand.Doctor.Name ? DoctorPatience
            : ColibriClient.ReplyTimeout + TimeSpan.FromMilliseconds(Math.Clamp(request.GraceMs ?? 0, 0, 600_000));
        return (await client.SendAsync(request, timeout, cancellation).ConfigureAwait(false)).Accepted();
    }
}

using Colibri.Core.Doctor;
using Colibri.Daemon.Hosting;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about the daemon itself.</summary>
internal sealed class DaemonCommands(StatusView status, Examination examination)
{
    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.Ping, static _ => ValueTask.FromResult(Reply.Empty), NeverBlocks: true),
        new(WireCommand.Status, _ => ValueTask.FromResult(Reply.Of(status.Report(), ProtocolJson.Wire.StatusReport))),
        new(WireCommand.Snapshot, _ => ValueTask.FromResult(Reply.Of(status.Snapshot(), ProtocolJson.Wire.Snapshot))),
        new(WireCommand.Doctor, async _ => Reply.Of(await examination.RunAsync().ConfigureAwait(false), ProtocolJson.Wire.DoctorReport)),
    ];
}

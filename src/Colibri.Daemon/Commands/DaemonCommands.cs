using Colibri.Core.Doctor;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Daemon.Hosting;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about the daemon itself.</summary>
internal sealed class DaemonCommands(StatusView status, SettingsReload settings, Secrets secrets, Examination examination)
{
    /// <summary>Longest value in the answer to <c>reload</c>, in characters.</summary>
    private const int MaxValueLength = 300;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.Ping, static _ => ValueTask.FromResult(Reply.Empty), NeverBlocks: true),
        new(WireCommand.Status, _ => ValueTask.FromResult(Reply.Of(status.Report(), ProtocolJson.Wire.StatusReport))),
        new(WireCommand.Snapshot, _ => ValueTask.FromResult(Reply.Of(status.Snapshot(), ProtocolJson.Wire.Snapshot))),
        new(WireCommand.Reload, _ => ValueTask.FromResult(Reload())),
        new(WireCommand.Doctor, async _ => Reply.Of(await examination.RunAsync().ConfigureAwait(false), ProtocolJson.Wire.DoctorReport)),
    ];

    private Reply Reload()
    {
        try
        {
            var change = settings.Run();
            return Reply.Of(change with { Changed = [.. change.Changed.Select(Shown)] }, ProtocolJson.Wire.SettingsChange);
        }
        catch (ConfigurationException e)
        {
            throw new RequestException(ErrorCodes.Unavailable, $"{secrets.Redact(e.Message)}; the settings in force stay");
        }
    }

    private ChangedSetting Shown(ChangedSetting change) => change with { From = Shown(change.From), To = Shown(change.To) };

    private string? Shown(string? value) => value is null ? null : secrets.Name(value, MaxValueLength);
}

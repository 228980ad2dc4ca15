using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Metrics;

/// <summary>What a daemon answers for one scrape.</summary>
/// <param name="Status">The answer to <c>status</c>.</param>
/// <param name="Snapshot">The answer to <c>snapshot</c>.</param>
/// <param name="Totals">The answer to <c>get-metrics</c>.</param>
public sealed record MetricsReadings(StatusReport Status, Snapshot Snapshot, MetricsReport Totals)
{
    /// <summary>Asks a daemon, one request after the other.</summary>
    /// <param name="ask">Sends one request; throws where it is refused.</param>
    public static async Task<MetricsReadings> ReadAsync(Func<CommandRequest, Task<Reply>> ask)
    {
        ArgumentNullException.ThrowIfNull(ask);
        var totals = await ask(new CommandRequest { Cmd = WireCommand.GetMetrics.Name }).ConfigureAwait(false);
        var status = await ask(new CommandRequest { Cmd = WireCommand.Status.Name }).ConfigureAwait(false);
        var snapshot = await ask(new CommandRequest { Cmd = WireCommand.Snapshot.Name }).ConfigureAwait(false);
        return new MetricsReadings(
            status.Read(ProtocolJson.Wire.StatusReport), snapshot.Read(ProtocolJson.Wire.Snapshot), totals.Read(ProtocolJson.Wire.MetricsReport));
    }
}

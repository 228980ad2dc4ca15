using Colibri.Core.Cost;
using Colibri.Core.Providers;
using Colibri.Core.Sessions.Generations;
using Colibri.Core.Sessions.Headroom;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions;

/// <summary>What every session of a store works with.</summary>
/// <param name="Cost">The limits, asked anew for each append.</param>
/// <param name="Time">Gives entries their time.</param>
/// <param name="Logger">Is told of cuts, compactions and escalations.</param>
/// <param name="Headroom">Shortens what tools answered before the cost mode does; null for nobody.</param>
/// <param name="Secrets">What must not stand in what a compaction makes of older entries.</param>
/// <param name="AtStep">Called after each step of a change of generations, with the session's directory; for tests that stop there.</param>
internal sealed record SessionParts(CostControl Cost, TimeProvider Time, ILogger Logger, HeadroomClient? Headroom, Secrets Secrets, Action<string, SwitchStep>? AtStep);

using System.Globalization;
using Colibri.Cli.Output;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top.View;

/// <summary>The two lines at the top: how much of everything, and what is out of order.</summary>
internal static class HeaderView
{
    public static string Title(TopModel model)
    {
        var parts = new List<string> { "colibri" };
        if (model.Status is { } status)
        {
            parts.Add(status.Host);
            parts.Add($"{Words.Number(model.Living)} of {Words.Count(status.Agents.Max, "agent")}");
        }
        parts.Add($"{Words.Number(model.Queue.Count)} queued");
        parts.Add($"{Words.Number(model.Inbox.Items.Count + (model.Inbox.More ?? 0))} waiting");
        if (model.Budget is { } budget)
            parts.Add(Money(budget));
        return string.Join("  ", parts);
    }

    /// <summary>What is out of order, the worst first; else that all is well.</summary>
    public static (string Words, Tone Tone) Standing(TopModel model, DateTimeOffset now)
    {
        if (model.Away is { } away)
            return ($"! {away}; trying again", Tone.Bad);
        var troubles = Troubles(model, now).ToList();
        if (troubles.Count > 0)
            return ($"! {string.Join("  ! ", troubles)}", Tone.Attention);
        return (model.Status is { } status ? $"in order, cost mode {Words.Of(status.Cost.Mode)}" : "asking the daemon …", Tone.Quiet);
    }

    private static IEnumerable<string> Troubles(TopModel model, DateTimeOffset now)
    {
        if (model.Status is not { } status)
            yield break;
        foreach (var file in status.Files ?? [])
            yield return $"{file.What} is {file.State}";
        if (status.Disk is { State: StatusDisk.Low } disk)
            yield return $"disk low: {Words.Bytes(disk.FreeBytes)} free, no agent is started";
        foreach (var pause in status.Queue?.Paused ?? [])
            yield return $"paused: {QueueView.Line(pause)}";
        if (model.Budget is { Held: true } budget)
            yield return $"budget used up{(budget.LiftsAt is { } until ? $" until {Words.Minute(until)}" : "")}";
        foreach (var route in status.Providers ?? [])
        {
            if (route.State is not "ready" && !(route.Until < now))
                yield return $"{route.Provider} {route.State}{(route.Until is { } until ? $" until {Words.Clock(until)}" : "")}";
        }
        foreach (var breaker in status.Breakers ?? [])
            yield return $"{Path.GetFileName(breaker.Program)} crashed {Words.Count(breaker.Crashes, "time")}, rests until {Words.Clock(breaker.Until)}";
        if (status.Scheduler.MissingAgent is { } missing)
            yield return $"agent {missing} is not installed";
        if (model.NotShown > 0)
            yield return $"{Words.Number(model.NotShown)} agents and tasks are not shown";
    }

    private static string Money(BudgetState budget) =>
        $"{Words.Dollars(budget.SpentMicrocents)}{(budget.UnpricedTokens > 0 ? "+?" : "")}{(budget.DayMicrocents is { } day ? $" of ${(day / 1e8).ToString("0.00##", CultureInfo.InvariantCulture)}" : "")} today";
}

using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What is paused, for a person.</summary>
internal static class QueueView
{
    /// <param name="screen">Where to.</param>
    /// <param name="queue">What is paused.</param>
    /// <param name="resumed">The provider that is asked again; null where none was named.</param>
    public static void Write(Screen screen, QueueState queue, string? resumed = null)
    {
        if (resumed is not null)
            screen.Line($"provider {Words.Plain(resumed)} is asked again, if it was held");
        if (queue.Paused.Count == 0)
        {
            screen.Line("nothing is paused");
            return;
        }
        foreach (var pause in queue.Paused)
        {
            screen.Line($"paused: {Words.Plain(Line(pause))}");
            screen.Line($"  go on: colibri resume-queue{Words.Plain(Selectors(pause))}");
        }
    }

    /// <summary>One line about a pause.</summary>
    public static string Line(QueuePause pause)
    {
        var what = (pause.Provider, pause.Agent) switch
        {
            (null, null) => pause.Workspace is { } workspace ? $"workspace {workspace}" : "the whole queue",
            ({ } provider, null) => $"provider {provider}",
            (null, { } agent) => $"agent {agent}",
            ({ } provider, { } agent) => $"provider {provider} of agent {agent}",
        };
        if (pause.Workspace is { } place && (pause.Provider is not null || pause.Agent is not null))
            what += $" in workspace {place}";
        return $"{what} since {Words.Time(pause.Since)}{(pause.Reason is null ? "" : $": {pause.Reason}")}";
    }

    private static string Selectors(QueuePause pause) =>
        (pause.Provider is null ? "" : $" --provider {pause.Provider}") + (pause.Agent is null ? "" : $" --agent {pause.Agent}")
            + (pause.Workspace is null ? "" : $" --workspace {pause.Workspace}");
}

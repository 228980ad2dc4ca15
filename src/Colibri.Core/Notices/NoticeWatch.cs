using Colibri.Core.Agents;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Retention;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Notices;

/// <summary>What a watch reads.</summary>
internal sealed record NoticeSources
{
    public required AgentSupervisor Supervisor { get; init; }
    public required ProviderRouter Router { get; init; }
    public required ProviderHolds Holds { get; init; }
    public required Budgets Budgets { get; init; }
    public required DiskGuard Disk { get; init; }

    /// <summary>Redacts what a message quotes, before it is cut.</summary>
    public required Secrets Secrets { get; init; }
}

/// <summary>
/// Begins and ends the episodes of what is in memory alone: questions, silence, the budget, the disk, providers. It compares, when a pane has changed and once a second, what there
/// is with what it has begun. What a task itself tells is written by the board.
/// </summary>
internal sealed class NoticeWatch(BoardOutbox outbox, NoticeSources sources, TimeProvider time, ILogger logger)
{
    /// <summary>The least time between two looks, however often panes change.</summary>
    public static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(200);

    /// <summary>The time between two looks where no pane changes.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a provider or a disk must be well before its episode is over: one that comes and goes is one episode.</summary>
    public static readonly TimeSpan WellFor = TimeSpan.FromMinutes(1);

    /// <summary>The most characters of a message.</summary>
    public const int MostCharacters = 1_000;

    /// <summary>Lasting episodes beyond so many are not told. More questions than agents there are not, and providers are few.</summary>
    public const int MostEpisodes = 4_096;

    // By episode: since when it is well, in ticks of the clock; null while it lasts.
    private readonly Dictionary<string, long?> _lasting = new(StringComparer.Ordinal);
    private readonly WakeUp _wake = new();

    /// <summary>Called when an episode has begun or ended.</summary>
    public Action? Changed { get; set; }

    /// <summary>Looks at once. Never blocks.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Takes over what an earlier daemon has begun, so that it is not told again: what of it is over ends in its time.</summary>
    public async Task RestoreAsync()
    {
        foreach (var notice in await outbox.OpenAsync().ConfigureAwait(false))
            _lasting[notice.Episode] = null;
        try
        {
            await outbox.EndOfAgentsAsync().ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            logger.BoardUnavailable(e.Message);
        }
    }

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await LookAsync().ConfigureAwait(false);
                await Task.Delay(Gather, time, stopping).ConfigureAwait(false);
                await _wake.WaitAsync(Interval - Gather, time, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
    }

    /// <summary>One look. What the board refuses is begun at the next one.</summary>
    internal async Task LookAsync()
    {
        try
        {
            var now = All().DistinctBy(notice => notice.Episode).ToDictionary(notice => notice.Episode, StringComparer.Ordinal);
            foreach (var notice in now.Values)
            {
                if (_lasting.ContainsKey(notice.Episode))
                {
                    _lasting[notice.Episode] = null;
                    continue;
                }
                if (_lasting.Count >= MostEpisodes)
                    continue;
                await outbox.BeginAsync(notice).ConfigureAwait(false);
                _lasting[notice.Episode] = null;
                Changed?.Invoke();
            }
            foreach (var (episode, wellSince) in _lasting.Where(one => !now.ContainsKey(one.Key)).ToList())
                await EndAsync(episode, wellSince).ConfigureAwait(false);
        }
        catch (BoardUnavailableException)
        {
            // The board has said so itself.
        }
        catch (ObjectDisposedException)
        {
            // The daemon is stopping.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            logger.UnexpectedFailure("the look for what is to be told", e);
        }
    }

    private async Task EndAsync(string episode, long? wellSince)
    {
        var isOver = episode.StartsWith("question:", StringComparison.Ordinal) || episode.StartsWith("stalled:", StringComparison.Ordinal)
            || (wellSince is { } since && time.GetElapsedTime(since) >= WellFor);
        if (!isOver)
        {
            _lasting[episode] = wellSince ?? time.GetTimestamp();
            return;
        }
        await outbox.EndAsync(episode).ConfigureAwait(false);
        _lasting.Remove(episode);
        Changed?.Invoke();
    }

    private IEnumerable<NewNotice> All()
    {
        foreach (var agent in sources.Supervisor.Agents)
        {
            if (!agent.HasEnded && Of(agent) is { } notice)
                yield return notice;
        }
        foreach (var route in sources.Router.Status().Concat(sources.Holds.Status()).Where(route => route.State is "auth-failed" or "no-key" or "resting" or "backing-off" or "trying"))
        {
            // One failure that is tried again in a moment is not worth a word: a provider rests after several.
            if (route.State == "no-key" || route.State == "auth-failed" || route.Failures > 1)
                yield return OfPart(NoticeKind.Provider, $"provider:{route.Provider}", $"{route.Provider}: {route.State}{(route.LastError is { } error ? $": {error}" : "")}") with { Name = route.Provider };
        }
        if (sources.Budgets.State is { Held: true } budget)
            yield return OfPart(NoticeKind.Budget, $"budget:{budget.Day}", $"the day's budget is used up; starts go on at {budget.LiftsAt:yyyy-MM-dd'T'HH:mm'Z'}");
        if (sources.Disk.WhyHeld is { } low)
            yield return OfPart(NoticeKind.Disk, "disk", low);
    }

    private NewNotice? Of(SupervisedAgent agent)
    {
        if (agent.Question is { } question)
            return OfAgent(agent, NoticeKind.Question, $"question:{agent.Id}:{question.Request}", question.Title ?? question.Message ?? "it asks something");
        return agent.IsStalled ? OfAgent(agent, NoticeKind.Stalled, $"stalled:{agent.Id}", $"{agent.Name} has been silent for long; its process lives") : null;
    }

    private NewNotice OfAgent(SupervisedAgent agent, NoticeKind kind, string episode, string message) =>
        new(kind, episode, OneLine(message)) { AgentId = agent.Id, TaskNumber = agent.TaskNumber };

    private NewNotice OfPart(NoticeKind kind, string episode, string message) => new(kind, episode, OneLine(message));

    private string OneLine(string text) => sources.Secrets.Excerpt(text.ReplaceLineEndings(" "), MostCharacters);
}

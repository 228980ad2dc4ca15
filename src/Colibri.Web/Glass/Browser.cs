namespace Colibri.Web.Glass;

/// <summary>
/// What one open page is still to be told: the topics that have changed since it was told last, each once however often it has changed. It is bounded by
/// the topics that the page has asked for.
/// </summary>
internal sealed class Browser(IReadOnlySet<string> topics)
{
    /// <summary>The topics that a page may ask for.</summary>
    public const int MaxTopics = 32;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _changed = [];
    private bool _isAll;
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Tell(string topic)
    {
        if (!topics.Contains(topic))
            return;
        lock (_lock)
        {
            if (_changed.Add(topic))
                _woken.TrySetResult();
        }
    }

    public void TellAll()
    {
        lock (_lock)
        {
            _isAll = true;
            _woken.TrySetResult();
        }
    }

    /// <summary>Ends as soon as there is something to tell.</summary>
    public Task Woken
    {
        get { lock (_lock) return _woken.Task; }
    }

    /// <summary>Takes what there is to tell.</summary>
    public (bool IsAll, string[] Changed) Take()
    {
        lock (_lock)
        {
            var taken = (_isAll, _changed.ToArray());
            (_isAll, _woken) = (false, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            _changed.Clear();
            return taken;
        }
    }
}

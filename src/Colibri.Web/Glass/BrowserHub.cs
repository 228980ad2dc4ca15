namespace Colibri.Web.Glass;

/// <summary>The pages that are open and follow what happens: 64 at the most.</summary>
internal sealed class BrowserHub
{
    public const int MaxBrowsers = 64;

    private readonly Lock _lock = new();
    private readonly List<Browser> _browsers = [];

    public bool HasAny
    {
        get { lock (_lock) return _browsers.Count > 0; }
    }

    /// <returns>The page's queue, or null where 64 pages are open already.</returns>
    public Browser? TryJoin(IReadOnlySet<string> topics)
    {
        lock (_lock)
        {
            if (_browsers.Count >= MaxBrowsers)
                return null;
            var browser = new Browser(topics);
            _browsers.Add(browser);
            return browser;
        }
    }

    public void Leave(Browser browser)
    {
        lock (_lock)
            _browsers.Remove(browser);
    }

    /// <summary>Something has changed.</summary>
    public void Tell(string topic)
    {
        lock (_lock)
        {
            foreach (var browser in _browsers)
                browser.Tell(topic);
        }
    }

    /// <summary>Anything may have changed.</summary>
    public void TellAll()
    {
        lock (_lock)
        {
            foreach (var browser in _browsers)
                browser.TellAll();
        }
    }
}

namespace Colibri.Core.Agents.Launch;

/// <summary>This process's working directory, in which agents are started that name none. It may be removed at any time, and there is one for all.</summary>
public static class WorkingDirectory
{
    private const string Fallback = "/";

    private static volatile string? _known;
    private static volatile string? _lost;

    /// <summary>The directory that was removed while the process ran; null where none was.</summary>
    public static string? Lost => _lost;

    /// <summary>The directory now. Where it is gone the process goes to the root directory first, since no process can be started in a removed one.</summary>
    public static string Current
    {
        get
        {
            if (TryGet() is { } there)
                return _known = there;
            Directory.SetCurrentDirectory(Fallback);
            _lost ??= _known ?? "that the daemon was started in";
            return _known = Fallback;
        }
    }

    /// <summary>As <see cref="Current"/> at the start of the daemon: false where the directory was gone already.</summary>
    public static bool Find()
    {
        var isThere = TryGet() is not null;
        _ = Current;
        _lost = null;
        return isThere;
    }

    private static string? TryGet()
    {
        try
        {
            return Directory.GetCurrentDirectory();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

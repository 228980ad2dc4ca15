namespace Colibri.Core.Agents.Launch;

/// <summary>This process's working directory, in which agents are started that name none. It may be removed at any time, and there is one for all.</summary>
public static class WorkingDirectory
{
    private const string Fallback = "/";

    private static volatile string? KnownPath;
    private static volatile string? LostPath;

    /// <summary>The directory that was removed while the process ran; null where none was.</summary>
    public static string? Lost => LostPath;

    /// <summary>The directory now. Where it is gone the process goes to the root directory first, since no process can be started in a removed one.</summary>
    public static string Current
    {
        get
        {
            if (TryGet() is { } there)
                return KnownPath = there;
            Directory.SetCurrentDirectory(Fallback);
            LostPath ??= KnownPath ?? "that the daemon was started in";
            return KnownPath = Fallback;
        }
    }

    /// <summary>As <see cref="Current"/> at the start of the daemon: false where the directory was gone already.</summary>
    public static bool Find()
    {
        var isThere = TryGet() is not null;
        _ = Current;
        LostPath = null;
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

using Colibri.Web.Html;

namespace Colibri.Web.Glass;

/// <summary>What a part of a page depends on. Pages say it, the glass tells when it has changed.</summary>
internal static class Topics
{
    /// <summary>Whether the daemon is there.</summary>
    public const string Daemon = "daemon";

    /// <summary>Any agent.</summary>
    public const string Panes = "panes";

    /// <summary>What waits for a person.</summary>
    public const string Inbox = "inbox";

    /// <summary>Numbers, providers, pauses.</summary>
    public const string Status = "status";

    /// <summary>Any task.</summary>
    public const string Tasks = "tasks";

    /// <summary>One task, or the agent on it.</summary>
    public static string Task(long number) => $"task:{Words.Plain(number)}";

    /// <summary>One agent.</summary>
    public static string Agent(string label) => $"agent:{label}";
}

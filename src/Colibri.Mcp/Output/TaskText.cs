using System.Globalization;
using System.Text;
using Colibri.Protocol.Wire;

namespace Colibri.Mcp.Output;

/// <summary>A task for a person or a model to read.</summary>
internal static class TaskText
{
    // Its end says most: the whole run is in the session.
    private const int MaxDescriptionChars = 8 * 1024;
    private const int MaxResultChars = 32 * 1024;

    public static string Of(BoardTask task)
    {
        var text = new StringBuilder();
        Line("task", $"{task.Number} ({task.Id})");
        Line("title", task.Title);
        Line("status", task.Held ? "queued, held" : task.Status.ToString().ToLowerInvariant());
        Line("verdict", task.Verdict);
        Line("error", task.Error is { } error ? $"{error.Code}: {error.Message}" : null);
        foreach (var reason in task.BlockedBy ?? [])
            Line("waits for", $"{reason.Code}: {reason.Message}");
        Line("attempts", $"{task.Attempts} of {task.MaxAttempts}");
        Line("agent", task.Agent);
        Line("workspace", task.Workspace ?? task.Cwd);
        Line("session", task.SessionId);
        Line("cost", $"{(task.Usage.CostMicrocents / 100_000_000m).ToString("0.00####", CultureInfo.InvariantCulture)} USD{(task.Usage.UnpricedTokens > 0 ? ", and tokens of unknown price" : "")}");
        if (task.Change is { } change)
            Line("change", $"{change.Branch}, {change.State.ToString().ToLowerInvariant()}, {change.Files} files, +{change.Insertions} -{change.Deletions}");
        if (task.Check is { } check)
            Line("check", check.Exit is { } exit ? $"{check.Command} (exit {exit.Code?.ToString(CultureInfo.InvariantCulture) ?? "by signal"})" : check.Command);
        Part("description", task.Description, MaxDescriptionChars);
        Part("result", task.Result?.Text, MaxResultChars);
        foreach (var run in task.Runs ?? [])
            Line("run", $"{run.Attempt}: {run.Label ?? run.AgentId}, {run.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}, {run.Verdict ?? "under way"}{(run.Error is { } why ? $" ({why.Message})" : "")}");
        return Bounds.Cut(text.ToString());

        void Line(string label, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                text.Append(CultureInfo.InvariantCulture, $"{label}: {value}\n");
        }

        void Part(string label, string? value, int max)
        {
            if (!string.IsNullOrEmpty(value))
                text.Append(CultureInfo.InvariantCulture, $"{label}:\n{Bounds.Cut(value, max)}\n");
        }
    }
}

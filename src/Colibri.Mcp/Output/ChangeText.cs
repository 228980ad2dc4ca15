using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Mcp.Output;

/// <summary>A change: a few lines on it, then the patch.</summary>
internal static class ChangeText
{
    public static string Of(ChangeAnswer answer)
    {
        var change = answer.Change;
        var head = string.Create(CultureInfo.InvariantCulture,
            $"{change.Branch} in {change.Workspace} is {change.State.ToString().ToLowerInvariant()}: {change.Commits} commits, {change.Files} files, +{change.Insertions} -{change.Deletions}");
        if (change.Conflicts is { Count: > 0 } conflicts)
            head += $"\nconflicts: {string.Join(", ", conflicts)}";
        return Bounds.Cut(answer.Patch is { Length: > 0 } patch ? $"{head}\n\n{patch}" : head);
    }
}

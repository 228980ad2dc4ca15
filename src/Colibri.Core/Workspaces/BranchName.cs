using System.Globalization;
using System.Text;

namespace Colibri.Core.Workspaces;

/// <summary>Names that are made of a task's title, and names of branches that are taken as data.</summary>
internal static class BranchName
{
    public const int MaxSlug = 40;
    private const int MaxName = 200;

    /// <summary>Lower-case ASCII letters, digits and dashes, at most 40; <c>task</c> where the title has none of them.</summary>
    public static string Slug(string title)
    {
        var slug = new StringBuilder(MaxSlug);
        foreach (var c in title)
        {
            if (slug.Length == MaxSlug)
                break;
            if (char.IsAsciiLetterOrDigit(c))
                slug.Append(char.ToLowerInvariant(c));
            else if (slug.Length > 0 && slug[^1] != '-')
                slug.Append('-');
        }
        var trimmed = slug.ToString().TrimEnd('-');
        return trimmed.Length == 0 ? "task" : trimmed;
    }

    /// <summary>The name of a task's branch.</summary>
    /// <exception cref="GitException">The template makes none.</exception>
    public static string For(string template, long number, string slug)
    {
        var name = template.Replace("{number}", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("{slug}", slug, StringComparison.Ordinal);
        return Problem(name) is { } problem
            ? throw new GitException(GitFailureKind.Other, $"the branch '{Shown(name)}' {problem}: correct the workspace's branch")
            : name;
    }

    /// <summary>Why it is no name of a branch that is made or moved here, as the end of a sentence; null where it is one. git-check-ref-format(1), and one line of plain text.</summary>
    public static string? Problem(string name)
    {
        if (name.Length is 0 or > MaxName)
            return $"has not 1 to {MaxName} characters";
        if (name.Any(c => char.IsControl(c) || c is ' ' or '~' or '^' or ':' or '?' or '*' or '[' or '\\' or '\uFFFD' || char.IsSurrogate(c)))
            return "has characters that no branch may have here";
        if (name[0] is '-' or '/' || name[^1] is '/' or '.' || name == "@" || name == "HEAD" || name.Contains("..", StringComparison.Ordinal) || name.Contains("//", StringComparison.Ordinal) || name.Contains("@{", StringComparison.Ordinal)
            || name.Split('/').Any(part => part.StartsWith('.') || part.EndsWith(".lock", StringComparison.Ordinal)))
            return "is no name of a branch (git help check-ref-format)";
        return null;
    }

    /// <summary>On one line, for a message.</summary>
    public static string Shown(string name) => string.Concat(name.Take(MaxName).Select(c => char.IsControl(c) ? '?' : c));
}

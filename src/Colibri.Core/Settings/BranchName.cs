namespace Colibri.Core.Settings;

/// <summary>Names of branches, by the rules of git-check-ref-format(1).</summary>
internal static class BranchName
{
    public const string Number = "{number}";
    public const string Slug = "{slug}";
    public const int MaxLength = 200;

    private const string Refused = " ~^:?*[\\";

    public static bool IsRight(string name) =>
        name.Length is > 0 and <= MaxLength
        && name is not ("@" or "HEAD")
        && name[0] != '-'
        && name[^1] != '.'
        && !name.Contains("..", StringComparison.Ordinal)
        && !name.Contains("@{", StringComparison.Ordinal)
        && !name.Any(c => c < ' ' || c == '\x7f' || Refused.Contains(c, StringComparison.Ordinal))
        && name.Split('/').All(part => part.Length > 0 && part[0] != '.' && !part.EndsWith(".lock", StringComparison.Ordinal));

    /// <summary>A template that gives each task a branch of its own: it holds the task's number.</summary>
    public static bool IsTemplate(string template)
    {
        if (!template.Contains(Number, StringComparison.Ordinal))
            return false;
        var name = template.Replace(Number, "1", StringComparison.Ordinal).Replace(Slug, "a", StringComparison.Ordinal);
        return !name.Contains('{') && !name.Contains('}') && IsRight(name);
    }
}

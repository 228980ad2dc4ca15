namespace Colibri.Core.Agents.Kinds;

/// <summary>The forms in which programs were seen to answer <c>--version</c>. Another product of the same name has another form.</summary>
internal static class VersionWords
{
    /// <summary>Whether the first line of an answer is a version: a number, a dot, and more of letters, digits, dots, plus and minus.</summary>
    /// <param name="answer">What the program printed.</param>
    /// <param name="before">What stands before the version on its line.</param>
    /// <param name="after">What stands behind it.</param>
    public static bool Are(string answer, string before = "", string after = "")
    {
        var line = answer.AsSpan().TrimStart();
        line = (line.IndexOf('\n') is >= 0 and var end ? line[..end] : line).TrimEnd();
        if (line.Length <= before.Length + after.Length || !line.StartsWith(before, StringComparison.Ordinal) || !line.EndsWith(after, StringComparison.Ordinal))
            return false;
        var version = line[before.Length..^after.Length];
        var dot = version.IndexOf('.');
        return dot > 0 && !version[..dot].ContainsAnyExceptInRange('0', '9') && dot < version.Length - 1 && char.IsAsciiDigit(version[dot + 1]) && IsPlain(version[dot..]);
    }

    private static bool IsPlain(ReadOnlySpan<char> version)
    {
        foreach (var letter in version)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '-' or '+'))
                return false;
        }
        return true;
    }
}

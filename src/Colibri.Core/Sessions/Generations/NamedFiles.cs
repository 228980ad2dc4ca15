using System.Buffers;

namespace Colibri.Core.Sessions.Generations;

/// <summary>File names that occur in words: a path with a slash, or a name with an extension.</summary>
internal static class NamedFiles
{
    private const int MaxNameLength = 200;
    private const int MaxExtensionLength = 8;
    private const int ScannedChars = 64 * 1024;

    private static readonly SearchValues<char> NameChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/~+@");

    /// <summary>Adds the names in the text's first 64 Ki characters, in order, up to <paramref name="most"/> in all.</summary>
    public static void AddTo(List<string> names, string text, int most)
    {
        var rest = text.AsSpan(0, Math.Min(text.Length, ScannedChars));
        while (names.Count < most && rest.IndexOfAny(NameChars) is >= 0 and var start)
        {
            rest = rest[start..];
            var length = rest.IndexOfAnyExcept(NameChars);
            if (length < 0)
                length = rest.Length;
            var isUrl = length < rest.Length && rest[length] == ':' && rest[(length + 1)..].StartsWith("//");
            var name = rest[..length].TrimEnd("./-");
            rest = rest[length..];
            if (isUrl)
                rest = rest[rest.IndexOfAny(" \t\n\"'") is >= 0 and var end ? end..rest.Length : rest.Length..];
            else if (IsFileName(name) && !Contains(names, name))
                names.Add(name.ToString());
        }
    }

    private static bool IsFileName(ReadOnlySpan<char> name)
    {
        if (name.Length is < 3 or > MaxNameLength || name.Contains("//", StringComparison.Ordinal))
            return false;
        var last = name[(name.LastIndexOf('/') + 1)..];
        if (last.Length < name.Length)
            return name.ContainsAnyInRange('a', 'z') || name.ContainsAnyInRange('A', 'Z');
        var dot = name.LastIndexOf('.');
        var extension = name[(dot + 1)..];
        // Two letters before the dot at least: "e.g" and "1.5" are no files.
        return dot >= 2 && extension.Length is > 0 and <= MaxExtensionLength && char.IsAsciiLetter(extension[0])
            && char.IsAsciiLetter(name[0]);
    }

    private static bool Contains(List<string> names, ReadOnlySpan<char> name)
    {
        foreach (var known in names)
        {
            if (name.SequenceEqual(known))
                return true;
        }
        return false;
    }
}

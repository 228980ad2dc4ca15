using Colibri.Jsonl;

namespace Colibri.Core.Agents.Transports;

/// <summary>The files that a call is about which an agent asks for: where it says it looks, those of its diffs, and what its arguments call a file.</summary>
internal static class PermissionPaths
{
    /// <summary>The most files of one call; where there are more, a person decides.</summary>
    public const int Max = 512;

    private static readonly JsonFields Located = new("path", "type");

    // Without underscores, in any case.
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "path", "file", "filepath", "filename", "abspath", "absolutepath", "notebookpath", "oldpath", "newpath", "movepath", "sourcepath", "targetpath", "destinationpath",
    };

    // Of other calls these may be any words.
    private static readonly HashSet<string> MoveNames = new(StringComparer.OrdinalIgnoreCase) { "from", "to", "source", "src", "target", "destination", "dest", "dst" };

    /// <summary>The files of a call; none where one of them is not known, and a person has to look.</summary>
    /// <param name="line">The line of the request.</param>
    /// <param name="locations">Objects with a path each.</param>
    /// <param name="content">Blocks of content, of which diffs have a path.</param>
    /// <param name="input">The arguments of the call.</param>
    /// <param name="isMove">The call moves a file, so it has two.</param>
    public static IReadOnlyList<string> Of(ReadOnlySpan<byte> line, JsonValue locations, JsonValue content, JsonValue input, bool isMove)
    {
        List<string> paths = [];
        Span<JsonValue> found = stackalloc JsonValue[2];
        var all = new JsonElements(line, locations);
        while (all.Next())
            if (!Located.TryRead(line, all.Current, found) || !Add(paths, found[0].GetString(line))) return [];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!Located.TryRead(line, blocks.Current, found) || (!found[0].Exists && !found[1].StringEquals(line, "diff"u8))) continue;
            if (!Add(paths, found[0].GetString(line))) return [];
        }
        var arguments = new JsonProperties(line, input);
        while (arguments.Next())
        {
            var name = arguments.Name.GetString(line)!.Replace("_", "", StringComparison.Ordinal);
            if (arguments.Value.IsString && (Names.Contains(name) || (isMove && MoveNames.Contains(name))) && !Add(paths, arguments.Value.GetString(line))) return [];
        }
        return isMove && paths.Count < 2 ? [] : paths;
    }

    // An address, or a home that somebody else fills in, is no path here.
    private static bool Add(List<string> paths, string? path)
    {
        if (path is null || path.StartsWith('~') || path.Contains("://", StringComparison.Ordinal) || paths.Count == Max) return false;
        if (!paths.Contains(path)) paths.Add(path);
        return true;
    }
}

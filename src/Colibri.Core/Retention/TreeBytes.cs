using System.IO.Enumeration;

namespace Colibri.Core.Retention;

/// <summary>How many bytes the files of a tree have. Links are not followed and count nothing.</summary>
internal static class TreeBytes
{
    /// <summary>The most entries that are counted; the bytes of further ones are left out.</summary>
    public const int MostEntries = 1_000_000;

    private const int Deepest = 64;

    private static readonly EnumerationOptions Options = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = Deepest,
        IgnoreInaccessible = true,
        AttributesToSkip = 0,
    };

    /// <summary>0 where there is no such directory. Never throws for what it meets: an agent may have left anything.</summary>
    public static long Of(string directory)
    {
        var bytes = 0L;
        try
        {
            var lengths = new FileSystemEnumerable<long>(directory, static (ref FileSystemEntry entry) => IsLink(ref entry) || entry.IsDirectory ? 0 : entry.Length, Options)
            {
                ShouldRecursePredicate = static (ref FileSystemEntry entry) => !IsLink(ref entry),
            };
            foreach (var length in lengths.Take(MostEntries))
                bytes += length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was counted so far is told.
        }
        return bytes;
    }

    private static bool IsLink(ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) != 0;
}

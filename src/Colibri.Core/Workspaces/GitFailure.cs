namespace Colibri.Core.Workspaces;

/// <summary>The ways in which work in a repository fails.</summary>
public enum GitFailureKind
{
    /// <summary>Anything else; the message is git's last line.</summary>
    Other,
    Missing,
    TooOld,
    NotStarted,
    TimedOut,
    TooLarge,
    DubiousOwner,
    NoIdentity,
    Locked,
    DiskFull,
    BaseGone,
    NotARepository,
    Subdirectory,
    NoCommits,
    Corrupt,
    PermissionDenied,
    ReadOnly,
    Submodules,
    Lfs,

    /// <summary>Something in the repository would have us run or write what is not ours.</summary>
    Planted,

    /// <summary>A removal would lose work, or take a tree that is in use.</summary>
    InUse,

    /// <summary>A checkout cannot be moved to the new base.</summary>
    CheckoutBusy,
}

/// <summary>Work in a repository failed. The message is one line: what happened, to what, and what to type.</summary>
public sealed class GitException(GitFailureKind kind, string message) : Exception(string.Concat(message.Select(c => char.IsControl(c) ? '?' : c)))
{
    public GitFailureKind Kind { get; } = kind;

    /// <summary>A call did not end by itself, so a lock file of its own may be left.</summary>
    public bool IsCutShort { get; init; }
}

/// <summary>Tells from what git said why it failed.</summary>
internal static class GitFailure
{
    private const int MaxLine = 400;

    private static readonly (GitFailureKind Kind, string[] Words)[] Known =
    [
        (GitFailureKind.DubiousOwner, ["detected dubious ownership"]),
        (GitFailureKind.NoIdentity, ["Please tell me who you are", "empty ident name", "no email was given and auto-detection is disabled", "no name was given and auto-detection is disabled", "unable to auto-detect email address"]),
        // Before the lock: git reports both for a lock that it cannot make.
        (GitFailureKind.DiskFull, ["No space left on device", "Disk quota exceeded"]),
        (GitFailureKind.ReadOnly, ["Read-only file system"]),
        (GitFailureKind.Locked, [".lock': File exists"]),
        (GitFailureKind.PermissionDenied, ["Permission denied", "insufficient permission", "Operation not permitted"]),
        (GitFailureKind.Corrupt, ["is corrupt", "bad object", "loose object", "object file", "inflate: ", "invalid sha1 pointer", "unable to read tree", "unable to read sha1", "bad tree object", "index file corrupt", "index file smaller than expected", "bad signature", "packed object"]),
        (GitFailureKind.NotARepository, ["not a git repository"]),
    ];

    /// <summary>The exception for a call that failed.</summary>
    public static GitException Of(GitOutput output, GitCall call)
    {
        var place = call.WorkTree ?? call.GitDirectory ?? call.Directory;
        var line = LastLine(output.Error) ?? (output.Exit is { } code ? $"exit code {code}" : "ended by a signal");
        var kind = KindOf(output.Error);
        return new GitException(kind, kind switch
        {
            GitFailureKind.DubiousOwner => DubiousOwner(output.Error, place),
            GitFailureKind.NoIdentity => $"git has no name and address for commits of {Environment.UserName}: git config --global user.name NAME && git config --global user.email ADDRESS, as that user",
            GitFailureKind.Locked => Locked(output.Error, place),
            GitFailureKind.DiskFull => $"the disk is full: {call.What} failed; make room where {place} lies",
            GitFailureKind.ReadOnly => $"{place} lies on a read-only file system: {line}",
            GitFailureKind.PermissionDenied => $"{Environment.UserName} may not do {call.What}: {line}; give that user the rights (ls -ld {Quoted(place)})",
            GitFailureKind.Corrupt => $"{place} is damaged: {line}; look at it with git -C {Quoted(place)} fsck",
            GitFailureKind.NotARepository => $"{place} is no git repository: {line}; make one with git -C {Quoted(place)} init, or correct the workspace's path",
            _ => $"{call.What} failed: {line}",
        })
        {
            IsCutShort = output.Exit is null,
        };
    }

    internal static GitFailureKind KindOf(string error) =>
        Array.Find(Known, known => Array.Exists(known.Words, words => error.Contains(words, StringComparison.Ordinal))).Kind;

    /// <summary>A path as a shell takes it.</summary>
    public static string Quoted(string path) =>
        path.Length > 0 && path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '_' or '-' or '+' or '@' or ':' or ',') ? path : $"'{path.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static string DubiousOwner(string error, string place)
    {
        // Git names the directory that it wants to be told of, which is not always the one that it was asked for.
        var path = Between(error, "detected dubious ownership in repository at '", "'\n") ?? place;
        return $"{path} belongs to another user than {Environment.UserName}, so git refuses it: git config --global --add safe.directory {Quoted(path)}, as {Environment.UserName}";
    }

    private static string Locked(string error, string place)
    {
        var path = Between(error, "Unable to create '", "': File exists") ?? $"a lock file of {place}";
        return $"{path} is there: git runs there, or ended halfway; if none runs: rm {Quoted(path)}";
    }

    private static string? LastLine(string error)
    {
        var lines = error.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var line = Array.FindLast(lines, one => one.StartsWith("fatal: ", StringComparison.Ordinal) || one.StartsWith("error: ", StringComparison.Ordinal)) ?? lines.LastOrDefault();
        return line is null ? null : line.Length > MaxLine ? line[..MaxLine] : line;
    }

    private static string? Between(string text, string before, string behind)
    {
        var start = text.IndexOf(before, StringComparison.Ordinal) is >= 0 and var found ? found + before.Length : -1;
        var end = start < 0 ? -1 : text.IndexOf(behind, start, StringComparison.Ordinal);
        return end < 0 ? null : text[start..end];
    }
}

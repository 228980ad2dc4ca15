namespace Colibri.Core.Settings;

/// <summary>The keys of <c>[retention]</c>, in the order in which they are printed.</summary>
internal static class RetentionKeys
{
    private static readonly TimeSpan Shortest = TimeSpan.FromHours(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    public static IReadOnlyList<FileKey<RetentionSettings>> All { get; } =
    [
        FileKey<RetentionSettings>.Duration("tasks", Shortest, Longest, retention => retention.Tasks, (retention, time) => retention with { Tasks = time }),
        FileKey<RetentionSettings>.Duration("sessions", Shortest, Longest, retention => retention.Sessions, (retention, time) => retention with { Sessions = time }),
        new(
            "sessions_bytes",
            "1MiB to 1024TiB, or none",
            (retention, value) => retention with { SessionsBytes = value.SizeOrNone(1L << 20, 1L << 50) },
            retention => retention.SessionsBytes is { } bytes ? TomlLiteral.Size(bytes) : "\"none\""),
        new(
            "min_free",
            "0 to 1024TiB",
            (retention, value) => retention with { MinFreeBytes = value.Size(0, 1L << 50), StatesMinFree = true },
            retention => TomlLiteral.Size(retention.MinFreeBytes)),
    ];
}

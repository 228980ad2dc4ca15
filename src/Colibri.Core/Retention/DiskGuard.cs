using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Retention;

/// <summary>
/// Holds starts while a file system that the daemon writes to has less room than <c>min_free</c>, so that what runs can end and be recorded. It ends no
/// run, and lifts by itself once there is a tenth more than that. Looked at by one thread at a time, read by any.
/// </summary>
/// <param name="directories">The daemon's directories. One that is not there yet stands for the nearest above it that is.</param>
/// <param name="settings">What must be free, as it is configured now.</param>
/// <param name="spaceOf">The room of the file system of a directory; null where there is none of that name.</param>
/// <param name="logger">The log.</param>
public sealed class DiskGuard(IReadOnlyList<string> directories, Func<RetentionSettings> settings, Func<string, FileSystemSpace?> spaceOf, ILogger logger)
{
    /// <summary>The time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Without a stated <c>min_free</c>, one part in so many of a file system is enough, because a small one never has 1 GiB free.</summary>
    public const int SmallestPart = 20;

    // Of what must be free: a file system about full would hold and lift at every look.
    private const double LiftsAt = 1.1;

    private volatile StatusDisk? _state;
    private volatile string? _whyHeld;

    /// <summary>Starts are held from now on, or go on. Called on the thread that looked; must not block.</summary>
    public event Action? Changed;

    public bool IsHeld => _whyHeld is not null;

    /// <summary>Which file system has how much free, how much it needs, and what to type; null where starts are not held.</summary>
    public string? WhyHeld => _whyHeld;

    /// <summary>The file system that is worst off, at the latest look; null where none could be looked at.</summary>
    public StatusDisk? State => _state;

    /// <summary>What must be free on a file system of that size.</summary>
    public static long Needed(RetentionSettings settings, long totalBytes)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.StatesMinFree ? settings.MinFreeBytes : Math.Min(settings.MinFreeBytes, totalBytes / SmallestPart);
    }

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(TimeProvider time, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stopping.IsCancellationRequested)
                Look();
        }
    }

    /// <summary>Looks at every file system once. A file system that cannot be looked at says nothing.</summary>
    public void Look()
    {
        var (now, wasHeld) = (settings(), IsHeld);
        (StatusDisk Disk, double Share)? worst = null;
        foreach (var directory in directories)
        {
            if (SpaceOf(directory) is not { } space)
                continue;
            var needed = Needed(now, space.TotalBytes);
            var share = needed == 0 ? double.PositiveInfinity : space.FreeBytes / (double)needed;
            if (worst is null || share < worst.Value.Share)
                worst = (new StatusDisk(share < (wasHeld ? LiftsAt : 1) ? StatusDisk.Low : StatusDisk.Ok, space.FreeBytes, needed, directory), share);
        }
        if (worst is not { Disk: var disk })
            return;
        _state = disk;
        _whyHeld = disk.State == StatusDisk.Low ? Words(disk, now) : null;
        // At each look: the log makes one line a minute of a condition that lasts.
        if (_whyHeld is { } reason)
            logger.DiskLow(reason);
        else if (wasHeld)
            logger.DiskEnough(disk.Path, ByteWords.Of(disk.FreeBytes));
        if (IsHeld != wasHeld)
            Changed?.Invoke();
    }

    private static string Words(StatusDisk disk, RetentionSettings settings) =>
        $"the file system of {disk.Path} has {ByteWords.Of(disk.FreeBytes)} free; starts need {ByteWords.Of(disk.MinFreeBytes)}, and go on at a tenth more: free some space "
        + $"(colibri prune --older-than 7d --dry-run shows what could go), or {(settings.StatesMinFree ? "lower" : "set a lower")} min_free in [retention]";

    private FileSystemSpace? SpaceOf(string directory)
    {
        for (var place = directory; !string.IsNullOrEmpty(place); place = Path.GetDirectoryName(place))
        {
            // One without a size, such as a pseudo file system, never fills.
            if (spaceOf(place) is { } space)
                return space.TotalBytes > 0 ? space : null;
        }
        return null;
    }
}

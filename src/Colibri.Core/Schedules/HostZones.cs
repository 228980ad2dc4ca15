using System.Security;
using Colibri.Core.Board;

namespace Colibri.Core.Schedules;

/// <summary>The zones of this host, by their IANA names. Their data lies in <c>TZDIR</c>, or in <c>/usr/share/zoneinfo</c>.</summary>
internal static class HostZones
{
    /// <summary>The one zone that needs no data.</summary>
    public const string Utc = "UTC";

    /// <summary>The most characters of a name.</summary>
    public const int MostCharacters = 64;

    private const string UsualDirectory = "/usr/share/zoneinfo";

    /// <summary>The daemon's own zone by its name, so that a schedule keeps it wherever the board is moved; UTC where it has no name.</summary>
    public static string Here() => TimeZoneInfo.Local.Id is var name && TryFind(name, out _) is not null ? name : Utc;

    /// <exception cref="ScheduleRefusedException">There is no such zone, or this host has no data of zones.</exception>
    public static ZoneClock Find(string name) => TryFind(name, out var problem) ?? throw new ScheduleRefusedException("zone", problem!);

    /// <summary>The clock of a zone; null where there is none.</summary>
    /// <param name="name">Its IANA name.</param>
    /// <param name="problem">Why there is none: the rest of a line that begins with the word zone.</param>
    public static ZoneClock? TryFind(string name, out string? problem)
    {
        problem = null;
        if (name is Utc or "Etc/UTC")
            return new ZoneClock(TimeZoneInfo.Utc);
        if (!IsName(name))
        {
            problem = $"is '{name}', which is no name of a zone, such as Europe/Berlin";
            return null;
        }
        try
        {
            return new ZoneClock(TimeZoneInfo.FindSystemTimeZoneById(name));
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or SecurityException or IOException or UnauthorizedAccessException)
        {
            var directory = Environment.GetEnvironmentVariable("TZDIR") is { Length: > 0 } stated ? stated : UsualDirectory;
            problem = HasData(directory)
                ? $"is '{name}', which is not in {directory}"
                : $"is '{name}', and there is no zone data on this host: {directory} holds none; only UTC works. Install tzdata, or set TZDIR";
            return null;
        }
    }

    /// <summary>Has the data read anew: a daemon that runs for a year sees several versions of it.</summary>
    public static void Forget() => TimeZoneInfo.ClearCachedData();

    // A name goes into a path.
    private static bool IsName(string name)
    {
        if (name.Length is 0 or > MostCharacters || name[0] == '/' || name.Contains("..", StringComparison.Ordinal))
            return false;
        foreach (var letter in name)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('/' or '_' or '-' or '+' or '.'))
                return false;
        }
        return true;
    }

    private static bool HasData(string directory)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(directory).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SecurityException)
        {
            return false;
        }
    }
}

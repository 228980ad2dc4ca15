using System.Globalization;
using Colibri.Posix.Host;

namespace Colibri.Core.Doctor;

/// <summary>The daemon's user, and what the host gives it: disk, cgroups, open files, clock.</summary>
internal sealed class HostChecks(ExaminationParts parts)
{
    public const string Group = "host";

    // Before this a file of today cannot have been written: the release that these checks came with.
    private static readonly DateTimeOffset EarliestClock = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(10);

    public IEnumerable<Look> Looks() =>
    [
        new Look(Group, "daemon", finding => finding.Ok(parts.Daemon)),
        new Look(Group, "user", FindUser),
        new Look(Group, "home", FindHome),
        new Look(Group, "disk", FindDisk),
        new Look(Group, "cgroups", FindCgroups),
        new Look(Group, "memory", FindMemory),
        new Look(Group, "processes", FindProcesses),
        new Look(Group, "open files", FindOpenFiles),
        new Look(Group, "clock", FindClock),
        new Look(Group, "linger", FindLinger),
    ];

    private void FindUser(Finding finding)
    {
        var who = $"the daemon runs as {parts.Host.UserName} (uid {parts.Host.Uid})";
        if (parts.Host.Uid == 0)
            finding.Note($"{who}: agents that are not confined may do everything on this host, and Claude refuses full access", "run it as a user of its own, as the package's unit does");
        else
            finding.Ok(who);
    }

    private void FindHome(Finding finding)
    {
        if (parts.Variable("HOME") is not { } home)
            finding.Warning("HOME is not set: agents keep logins, settings and sessions there", "set HOME for the daemon; a unit: Environment=HOME=/DIRECTORY");
        else if (!FileLook.At(home).IsDirectory)
            finding.Warning($"HOME={home} is no directory: agents keep logins, settings and sessions there", $"make it, owned by {parts.Host.UserName}");
        else if (!FileLook.IsWritable(home, out var problem))
            finding.Warning($"{parts.Host.UserName} may not write into its HOME={home}: {problem}", $"chown {parts.Host.UserName} {DoctorHost.ShellWord(home)}");
        else
            finding.Ok(home);
    }

    private void FindDisk(Finding finding)
    {
        var settings = parts.Settings();
        (string Name, string Path)[] directories =
        [
            ("state", Path.GetDirectoryName(settings.Daemon.DatabasePath) ?? "/"), ("sessions", settings.Daemon.SessionsDirectory), ("temporary files", parts.Host.TemporaryDirectory),
        ];
        foreach (var disk in directories.GroupBy(directory => FileIdentity.Of(directory.Path)?.Device))
        {
            var (path, names) = (disk.First().Path, string.Join(", ", disk.Select(directory => directory.Name)));
            if (disk.Key is null || parts.Host.Room(path) is not { } room)
                finding.Warning($"{names}: the room at {path} cannot be told");
            else if (room.Free < settings.Retention.MinFreeBytes)
                finding.Error($"{names}: {Bytes(room.Free)} free of {Bytes(room.Total)} at {path}, less than the {Bytes(settings.Retention.MinFreeBytes)} of min_free", "free some space: colibri prune, or min_free under [retention]");
            else if (room.Free < 2 * settings.Retention.MinFreeBytes)
                finding.Warning($"{names}: {Bytes(room.Free)} free of {Bytes(room.Total)} at {path}; no run starts below {Bytes(settings.Retention.MinFreeBytes)}", "free some space: colibri prune");
            else
                finding.Ok($"{names}: {Bytes(room.Free)} free of {Bytes(room.Total)} at {path}");
        }
    }

    private void FindCgroups(Finding finding)
    {
        if (parts.Cgroup() is not { } cgroup)
            return;
        if (cgroup.Parent is null)
        {
            finding.Note(
                $"agents have none, so their processes are found by looks at the process table: {cgroup.Reason}",
                parts.Host.IsService(parts.Settings().Daemon.SocketPath) ? "Delegate=yes in the unit: systemctl edit colibri-daemon" : "start it by its unit, or: systemd-run --user -p Delegate=yes colibri-daemon");
        }
        else if (cgroup.Reason is { } reason)
        {
            finding.Warning($"below {cgroup.Parent}; {reason}");
        }
        else
        {
            finding.Ok($"each agent has one, below {cgroup.Parent}");
        }
    }

    private void FindMemory(Finding finding)
    {
        if (!parts.Candidates().Any(candidate => candidate.Profile?.MemoryBytes is not null))
            return;
        finding.Ok(parts.WhyMemoryIsLookedAt() is { } reason ? $"limits of profiles are kept by a look each second, which quick growth escapes: {reason}" : "limits of profiles are kept by the kernel, with the agents' cgroups");
    }

    private void FindProcesses(Finding finding)
    {
        if (!parts.Candidates().Any(candidate => candidate.Profile?.Processes is not null))
            return;
        if (parts.WhyProcessesAreNotLimited() is { } reason)
            finding.Warning($"limits of profiles on processes are not kept: {reason}", "where the daemon is a service, its unit must have Delegate=yes (docs/linux.md)");
        else
            finding.Ok("limits of profiles are kept by the kernel, with the agents' cgroups");
    }

    private void FindOpenFiles(Finding finding)
    {
        var (soft, hard) = parts.Host.OpenFiles();
        if (soft < parts.OpenFilesWanted)
            finding.Warning(string.Create(CultureInfo.InvariantCulture, $"{soft} may be open, and {parts.OpenFilesWanted} are wanted; the hard limit is {hard}"), $"LimitNOFILE={parts.OpenFilesWanted} in the unit, or: ulimit -n {parts.OpenFilesWanted}");
        else
            finding.Ok(soft == long.MaxValue ? "no limit" : string.Create(CultureInfo.InvariantCulture, $"{soft} may be open"));
    }

    private void FindClock(Finding finding)
    {
        var now = parts.Time.GetUtcNow();
        var written = new[] { parts.Settings().Daemon.DatabasePath, parts.Settings().Daemon.DatabasePath + "-wal" }.Where(File.Exists).Select(file => new DateTimeOffset(File.GetLastWriteTimeUtc(file), TimeSpan.Zero)).DefaultIfEmpty(now).Max();
        const string Set = "set the clock, and keep it: timedatectl set-ntp true, or ntpd -gq";
        if (now < EarliestClock)
            finding.Error($"it says {now:yyyy-MM-dd'T'HH:mm'Z'}, which has long been: certificates are refused, and times are wrong", Set);
        else if (written - now > ClockSlack)
            finding.Warning($"it says {now:yyyy-MM-dd'T'HH:mm'Z'}, and the board was written at {written:yyyy-MM-dd'T'HH:mm'Z'}, later: one of them is wrong", Set);
        else
            finding.Ok($"{now:yyyy-MM-dd'T'HH:mm'Z'}");
    }

    private void FindLinger(Finding finding)
    {
        // A user's manager has its services below user@UID.service.
        if (!ReadOwnCgroup().Contains($"/user@{parts.Host.Uid}.service/", StringComparison.Ordinal))
            return;
        if (File.Exists(Path.Combine(parts.Host.LingerDirectory, parts.Host.UserName)))
            finding.Ok($"{parts.Host.UserName}'s services outlive the last login");
        else
            finding.Warning($"the daemon is a service of {parts.Host.UserName}'s, and ends with that user's last login", "loginctl enable-linger");
    }

    private string ReadOwnCgroup()
    {
        try
        {
            return File.ReadAllText(parts.Host.OwnCgroupFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string Bytes(long bytes) => bytes switch
    {
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.#} GiB"),
    };
}

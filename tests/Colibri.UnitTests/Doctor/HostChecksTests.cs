using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Doctor;

/// <summary>Hosts that lack one thing each, and the line that says so.</summary>
[NotInParallel]
public sealed class HostChecksTests : IDisposable
{
    private readonly Installation _here = new();

    public void Dispose() => _here.Dispose();

    [Test]
    public async Task A_host_in_order_has_no_warning_and_no_error()
    {
        var checks = await _here.WithClaude().ExamineAsync();
        checks.Where(check => check.Group is "host" or "git" or "agents" && check.State > DoctorState.Note).ShouldBeEmpty();
        // One line for each file system that the directories are on.
        checks.Where(check => check.Group == "host").Select(check => check.Name).Distinct().ShouldBe(["daemon", "user", "home", "disk", "open files", "clock"], ignoreOrder: true);
    }

    [Test]
    public async Task Root_is_noted_with_what_it_means_for_agents()
    {
        _here.Host = _here.Host with { Uid = 0, UserName = "root" };
        var check = await _here.CheckAsync("host", "user");
        (check.State, check.Message.Contains("runs as root (uid 0): agents that are not confined may do everything on this host", StringComparison.Ordinal)).ShouldBe((DoctorState.Note, true), check.ToString());
    }

    [Test]
    [Arguments(0.5, DoctorState.Error)]
    [Arguments(1.5, DoctorState.Warning)]
    [Arguments(2.5, DoctorState.Ok)]
    public async Task A_disk_that_is_nearly_full_is_told_before_it_is(double gibibytes, DoctorState state)
    {
        _here.Host = _here.Host with { Room = _ => ((long)(gibibytes * (1L << 30)), 200L << 30) };
        (await _here.ExamineAsync()).Where(check => check.Name == "disk").ShouldAllBe(check => check.State == state);
    }

    [Test]
    public async Task A_home_that_is_not_set_or_not_there_is_told()
    {
        _here.Environment["HOME"] = _here.InFolder("gone");
        (await _here.CheckAsync("host", "home")).Message.ShouldContain("is no directory");
        _here.Environment.Remove("HOME");
        (await _here.CheckAsync("host", "home")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Warning),
            check => check.Message.ShouldStartWith("HOME is not set"));
    }

    [Test]
    public async Task Too_few_open_files_are_told_with_the_limit_to_set()
    {
        _here.Host = _here.Host with { OpenFiles = () => (256, 256) };
        _here.Change = parts => parts with { OpenFilesWanted = 1_292 };
        (await _here.CheckAsync("host", "open files")).ShouldBe(new DoctorCheck("host", "open files", DoctorState.Warning, "256 may be open, and 1292 are wanted; the hard limit is 256", "LimitNOFILE=1292 in the unit, or: ulimit -n 1292"));
    }

    [Test]
    public async Task Cgroups_that_cannot_be_made_are_told_with_the_reason()
    {
        _here.Change = parts => parts with { Cgroup = () => new StatusCgroup(null, "the daemon may not write there") };
        (await _here.CheckAsync("host", "cgroups")).Message.ShouldEndWith("the daemon may not write there");
        _here.Change = parts => parts with { Cgroup = () => new StatusCgroup("/sys/fs/cgroup/a", null) };
        (await _here.CheckAsync("host", "cgroups")).State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    public async Task How_limits_of_memory_are_kept_is_told_where_there_are_any()
    {
        _here.WithClaude().Change = parts => parts with { WhyMemoryIsLookedAt = () => "the daemon may not write there" };
        (await _here.ExamineAsync()).ShouldNotContain(check => check.Name == "memory");
        _here.WithProfile(new ProfileSettings { Name = "small", Kind = "claude", MemoryBytes = 1L << 30 });
        (await _here.CheckAsync("host", "memory")).Message.ShouldBe("limits of profiles are kept by a look each second, which quick growth escapes: the daemon may not write there");
        _here.Change = parts => parts;
        (await _here.CheckAsync("host", "memory")).Message.ShouldBe("limits of profiles are kept by the kernel, with the agents' cgroups");
    }

    [Test]
    public async Task A_clock_that_was_never_set_and_one_behind_the_board_are_told()
    {
        _here.Change = parts => parts with { Time = new ClockAt(new DateTimeOffset(1970, 1, 1, 0, 5, 0, TimeSpan.Zero)) };
        (await _here.CheckAsync("host", "clock")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Error), check => check.Message.ShouldStartWith("it says 1970-01-01T00:05Z"));

        File.WriteAllText(_here.InFolder("state/board.sqlite"), "");
        File.SetLastWriteTimeUtc(_here.InFolder("state/board.sqlite"), new DateTime(2031, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        _here.Change = parts => parts with { Time = new ClockAt(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)) };
        (await _here.CheckAsync("host", "clock")).State.ShouldBe(DoctorState.Warning);
    }

    [Test]
    public async Task A_users_daemon_without_linger_is_told()
    {
        File.WriteAllText(_here.InFolder("cgroup"), "0::/user.slice/user-4201.slice/user@4201.service/app.slice/colibri-daemon.service\n");
        _here.Host = _here.Host with { OwnCgroupFile = _here.InFolder("cgroup"), LingerDirectory = _here.InFolder("state") };
        (await _here.CheckAsync("host", "linger")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Warning), check => check.Fix.ShouldBe("loginctl enable-linger"));
        File.WriteAllText(_here.InFolder("state/colibri"), "");
        (await _here.CheckAsync("host", "linger")).State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    public async Task A_misspelt_variable_is_told_with_the_one_that_was_meant()
    {
        _here.Environment["COLIBRI_BUDGET_TASK"] = "1";
        var check = await _here.CheckAsync("files", "variables");
        (check.State, check.Message, check.Fix).ShouldBe((DoctorState.Warning, "COLIBRI_BUDGET_TASK is no setting, did you mean COLIBRI_BUDGET_TASK_USD?", "write COLIBRI_BUDGET_TASK_USD, or remove it"));
    }

    [Test]
    public async Task A_file_of_keys_that_others_may_read_is_an_error_and_no_value_of_one_is_shown()
    {
        var file = _here.InFolder("provider.env");
        File.WriteAllText(file, "MISTRAL_API_KEY=sk-in-the-file\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        _here.Configure = configuration => configuration with { ProviderEnvFile = file };
        (await _here.CheckAsync("files", "keys")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Error), check => check.Message.ShouldContain($"chmod 600 {file}"));

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await _here.CheckAsync("files", "keys")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Ok),
            check => check.Message.ShouldStartWith($"{file}, mode 600, user "),
            check => check.Message.ShouldEndWith(": MISTRAL_API_KEY"));
    }

    [Test]
    public async Task A_configuration_that_would_be_refused_or_has_changed_is_told()
    {
        _here.Change = parts => parts with { Reread = () => throw new ConfigurationException("/etc/colibri/colibri.toml:3: agents.claude.knd is not known, did you mean kind?") };
        (await _here.CheckAsync("files", "configuration")).ShouldSatisfyAllConditions(
            check => check.State.ShouldBe(DoctorState.Error), check => check.Message.ShouldEndWith("did you mean kind?"));

        _here.Change = parts => parts with { Reread = () => Reading(parts.Settings() with { File = "/etc/colibri/colibri.toml", Agents = [new ProfileSettings { Name = "pi", Kind = "pi" }] }) };
        var check = await _here.CheckAsync("files", "configuration");
        (check.State, check.Fix).ShouldBe((DoctorState.Note, "colibri reload"));
        check.Message.ShouldStartWith("/etc/colibri/colibri.toml differs from what is in force in ");
    }

    [Test]
    public async Task A_socket_that_is_gone_and_a_file_in_trouble_are_errors()
    {
        _here.Change = parts => parts with { Files = () => [new StatusFile("sessions", "/s", StatusFile.Refused, "its disk is full; free some space")] };
        (await _here.CheckAsync("files", "socket")).State.ShouldBe(DoctorState.Error);
        (await _here.CheckAsync("files", "trouble")).Message.ShouldBe("sessions is refused: its disk is full; free some space");
    }

    private static SettingsReading Reading(ColibriSettings settings) => new()
    {
        Settings = settings,
        Stated = new Dictionary<string, FilePlace>(),
        FromEnvironment = new HashSet<string>(),
        Unknown = [],
    };

    /// <summary>A wall clock that stands; what is waited for is measured by the system's.</summary>
    private sealed class ClockAt(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}

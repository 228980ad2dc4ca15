using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Doctor;

/// <summary>Installations of agents that are broken in one way each, and the line that says so.</summary>
[NotInParallel]
public sealed class AgentChecksTests : IDisposable
{
    private const UnixFileMode ReadOnly = UnixFileMode.UserRead;

    private readonly Installation _here = new();

    public void Dispose() => _here.Dispose();

    // A program, its line's state, and words of its message.
    public static List<(string, DoctorState, string)> Programs =>
    [
        ("echo '2.1.332 (Claude Code)'", DoctorState.Ok, "2.1.332 (Claude Code) at "),
        ("echo; echo '  2.1.332 (Claude Code)  '; echo more", DoctorState.Ok, "2.1.332 (Claude Code) at "),
        ("echo '2.1.332 (Claude Code)' >&2", DoctorState.Ok, "2.1.332 (Claude Code) at "),
        ("""printf '\033[2J\033]0;title\0072.1.332 (Claude Code)\r\nmore'""", DoctorState.Ok, "2.1.332 (Claude Code) at "),
        ("exit 0", DoctorState.Error, "it answers --version with nothing"),
        ("exec yes 2.1.332", DoctorState.Error, "more than 4096 bytes"),
        ("exec yes 2.1.332 >&2", DoctorState.Error, "more than 4096 bytes"),
        ("echo broken >&2; exit 3", DoctorState.Error, "it answers --version with exit code 3: broken"),
        ("echo 'claude native binary not installed; run its postinstall' >&2; exit 1", DoctorState.Error, "is not the program of claude"),
        ("echo Downloading claude...", DoctorState.Error, "it answers --version with 'Downloading claude...'"),
        ("kill -SEGV $$", DoctorState.Warning, "--version failed, SIGSEGV"),
        ("exec /nowhere/node", DoctorState.Error, "does not start, exit code 127: "),
        ("read line && echo \"$line\" || echo 'no input'", DoctorState.Error, "with 'no input'"),
        ("echo \"$*\"", DoctorState.Error, "with '--version'"),
        ("echo \"key $ANTHROPIC_API_KEY, home $HOME\"", DoctorState.Error, "with 'key , home /"),
        ($"echo {Installation.Key}", DoctorState.Error, "with '[redacted]'"),
        // What it leaves holds its streams open.
        ("sleep 300 & echo '2.1.332 (Claude Code)'", DoctorState.Ok, "2.1.332 (Claude Code) at "),
    ];

    [Test]
    [MethodDataSource(nameof(Programs))]
    public async Task A_program_is_asked_for_its_version(string script, DoctorState state, string words)
    {
        var check = await _here.WithClaude(script).CheckAsync("agents", "claude");

        check.State.ShouldBe(state, check.ToString());
        check.Message.ShouldContain(words);
        check.Message.ShouldNotContain('\x1b');
        check.Message.ShouldNotContain(Installation.Key);
    }

    [Test]
    public async Task A_program_that_hangs_delays_its_own_line_alone_and_is_ended_with_what_it_started()
    {
        var pid = _here.InFolder("pid");
        _here.WithClaude($"setsid sleep 300 & echo $! >{pid}; exec sleep 300").WithProgram("pi", "echo 1.5.2").WithProfile(new ProfileSettings { Name = "pi", Kind = "pi" });

        var checks = await _here.ExamineAsync();

        var hanging = checks.Single(check => check.Name == "claude");
        hanging.State.ShouldBe(DoctorState.Warning);
        hanging.Message.ShouldContain("did not answer --version within 10 s and was ended");
        hanging.Fix.ShouldNotBeNull().ShouldContain("/claude --version");
        checks.Single(check => check.Name == "pi").Message.ShouldStartWith("1.5.2 at ");
        checks.ShouldContain(check => check.Group == "host");
        // Killed by then, and perhaps not reaped yet.
        Shell.Until(() => !Directory.Exists($"/proc/{File.ReadAllText(pid).Trim()}"), "the sleep in a session of its own is gone");
    }

    [Test]
    public async Task A_program_without_its_x_bit_is_told_with_what_to_type()
    {
        _here.WithProgram("odd-agent", "echo 1", ReadOnly).WithProfile(new ProfileSettings { Name = "odd", Kind = "claude", Binary = "odd-agent" });
        var check = await _here.CheckAsync("agents", "odd");
        (check.State, check.Message.Contains("chmod +x", StringComparison.Ordinal)).ShouldBe((DoctorState.Error, true), check.ToString());
    }

    [Test]
    public async Task A_program_that_is_not_there_is_told_with_where_to_say_where_it_is()
    {
        _here.WithProfile(new ProfileSettings { Name = "odd", Kind = "claude", Binary = "no-such-agent" });
        var check = await _here.CheckAsync("agents", "odd");
        check.State.ShouldBe(DoctorState.Error);
        check.Message.ShouldContain("there is no 'no-such-agent' on the daemon's search path: ");
        check.Fix.ShouldNotBeNull().ShouldContain("binary = \"/PATH/no-such-agent\" under [agents.odd]");
    }

    [Test]
    public async Task Without_an_agent_a_task_would_wait_and_what_to_write_where_is_said()
    {
        var check = await _here.WithProgram("zot", "echo 1").CheckAsync("agents", "configured");
        check.State.ShouldBe(DoctorState.Warning);
        check.Message.ShouldContain("queued tasks wait");
        check.Message.ShouldContain("zot");
        check.Fix.ShouldNotBeNull().ShouldContain("into ");
        check.Fix.ShouldContain("colibri.toml; then: colibri reload");
    }

    [Test]
    public async Task What_is_installed_and_not_configured_is_noted()
    {
        var check = await _here.WithClaude().WithProgram("zot", "echo 1").CheckAsync("agents", "unused zot");
        (check.State, check.Message).ShouldBe((DoctorState.Note, $"installed at {_here.InFolder("bin/zot")}; no profile uses it; Colibri knows its kind from documents only"));
        check.Fix.ShouldNotBeNull().ShouldStartWith("write [agents.zot] and, below it, kind = \"zot\" into ");
    }

    [Test]
    public async Task A_key_is_named_and_never_shown()
    {
        var checks = await _here.WithClaude().ExamineAsync();
        checks.Single(check => check.Name == "claude key").ShouldBe(new DoctorCheck("agents", "claude key", DoctorState.Ok, "ANTHROPIC_API_KEY"));
        string.Join('\n', checks).ShouldNotContain(Installation.Key);
    }

    [Test]
    public async Task Without_a_key_a_login_of_the_agents_own_is_looked_for_below_its_home()
    {
        _here.Environment.Remove("ANTHROPIC_API_KEY");
        var missing = await _here.WithClaude().CheckAsync("agents", "claude key");
        missing.State.ShouldBe(DoctorState.Warning);
        missing.Message.ShouldBe($"there is no ANTHROPIC_API_KEY, and no login of claude's own at {_here.InFolder("home/.claude/.credentials.json")}");
        missing.Fix.ShouldNotBeNull().ShouldContain("add ANTHROPIC_API_KEY=VALUE to ");

        Directory.CreateDirectory(_here.InFolder("home/.claude"));
        File.WriteAllText(_here.InFolder("home/.claude/.credentials.json"), "{}");
        (await _here.CheckAsync("agents", "claude key")).State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    public async Task A_key_under_another_name_than_its_providers_does_not_count()
    {
        _here.Environment["OPENAI_API_KEY"] = "sk-another-key";
        _here.WithProgram("pi", "echo 1").WithProfile(new ProfileSettings { Name = "pi", Kind = "pi", Provider = "deepseek" });
        (await _here.CheckAsync("agents", "pi key")).Message.ShouldStartWith("there is no DEEPSEEK_API_KEY");
    }

    [Test]
    public async Task A_variable_to_pass_that_is_not_there_is_told()
    {
        _here.WithProgram("claude", "echo 1").WithProfile(new ProfileSettings { Name = "claude", Kind = "claude", PassedEnvironment = ["GITHUB_TOKEN"] });
        (await _here.CheckAsync("agents", "claude pass_env")).Message.ShouldContain("GITHUB_TOKEN");
    }

    [Test]
    public async Task A_route_without_a_key_is_an_error()
    {
        _here.Configure = configuration => configuration with { Providers = [new ProviderRoute("mistral", null), new ProviderRoute("anthropic", "m")] };
        _here.WithClaude();
        var check = await _here.CheckAsync("agents", "provider mistral");
        (check.State, check.Message).ShouldBe((DoctorState.Error, "COLIBRI_PROVIDERS names it, and there is no MISTRAL_API_KEY"));
        (await _here.CheckAsync("agents", "provider anthropic")).State.ShouldBe(DoctorState.Ok);
    }

    [Test]
    [Arguments(0u, Access.Full, null, DoctorState.Error, "refuses full access as root")]
    [Arguments(0u, Access.Full, "1", DoctorState.Ok, "full: ")]
    [Arguments(4201u, Access.Full, null, DoctorState.Ok, "full: ")]
    [Arguments(0u, Access.Edit, null, DoctorState.Ok, "edit: ")]
    [Arguments(0u, Access.Read, null, DoctorState.Ok, "read: ")]
    public async Task Claude_as_root_with_full_access_is_told_now(uint uid, Access access, string? sandbox, DoctorState state, string words)
    {
        _here.Host = _here.Host with { Uid = uid };
        _here.WithProgram("claude", "echo 1").WithProfile(new ProfileSettings
        {
            Name = "claude",
            Kind = "claude",
            Access = access,
            Environment = sandbox is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["IS_SANDBOX"] = sandbox },
        });
        var check = await _here.CheckAsync("agents", "claude rights");
        check.State.ShouldBe(state, check.ToString());
        check.Message.ShouldContain(words);
    }

    [Test]
    [Arguments("claude", Access.Edit, "(--permission-mode=acceptEdits --settings={")]
    [Arguments("claude", Access.Full, "full: does all that its user may (--dangerously-skip-permissions)")]
    [Arguments("codex", Access.Read, "(--sandbox=read-only RUST_LOG)")]
    [Arguments("opencode", Access.Read, "(OPENCODE_PERMISSION)")]
    public async Task What_a_profile_may_do_is_told_with_the_flags_that_hold_it(string kind, Access access, string words)
    {
        _here.WithProgram(kind, "echo 1").WithProfile(new ProfileSettings { Name = "mine", Kind = kind, Access = access });
        (await _here.CheckAsync("agents", "mine rights")).Message.ShouldContain(words);
    }

    [Test]
    public async Task A_kind_that_cannot_be_held_is_noted_and_so_are_arguments_of_the_operators_own()
    {
        _here.WithProgram("zot", "echo 1").WithProfile(new ProfileSettings { Name = "zot", Kind = "zot" }).WithProfile(new ProfileSettings { Name = "own", Kind = "zot", Arguments = ["--yolo"] });
        var checks = await _here.ExamineAsync();
        checks.Single(check => check.Name == "zot rights").State.ShouldBe(DoctorState.Note);
        checks.Single(check => check.Name == "own rights").Message.ShouldContain("they alone decide what it may do");
    }

    [Test]
    [Arguments("claude", null, Access.Edit, DoctorState.Error, "edit: its arguments are stated", "give them as extra_args")]
    [Arguments("claude", null, Access.Full, DoctorState.Note, "full: its arguments are stated", null)]
    [Arguments("goose", Transport.Acp, Access.Edit, DoctorState.Ok, "edit: asks before it acts", null)]
    public async Task An_access_that_is_stated_beside_arguments_is_told_as_it_is_held(string kind, Transport? transport, Access access, DoctorState state, string words, string? fix)
    {
        _here.Host = _here.Host with { Uid = 0 };
        _here.WithProgram(kind, "echo 1").WithProfile(new ProfileSettings { Name = "mine", Kind = kind, Transport = transport, Access = access, Arguments = ["--own"] });
        var check = await _here.CheckAsync("agents", "mine rights");
        check.State.ShouldBe(state, check.ToString());
        check.Message.ShouldStartWith(words);
        (check.Fix ?? "").ShouldContain(fix ?? "");
    }

    [Test]
    public async Task A_confinement_that_is_not_possible_is_an_error()
    {
        _here.Change = parts => parts with { Plan = _ => throw new SpawnRefusedException(SpawnRefusal.NotConfinable, "bwrap is not installed (apt install bubblewrap); nothing was started") };
        _here.WithProgram("claude", "echo 1").WithProfile(new ProfileSettings { Name = "claude", Kind = "claude", Confine = new ConfineSettings { Path = "/roots/a" } });
        var check = await _here.CheckAsync("agents", "claude confinement");
        (check.State, check.Message).ShouldBe((DoctorState.Error, "bwrap is not installed (apt install bubblewrap); nothing was started"));
    }
}

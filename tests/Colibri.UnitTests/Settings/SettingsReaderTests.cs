using Colibri.Core.Settings;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Settings;

public sealed class SettingsReaderTests
{
    private const string Everything = """
        [daemon]
        max_agents = 8

        [agents.claude]
        kind = "claude"
        binary = "/opt/claude"
        transport = "duplex"
        model = "opus"
        provider = "anthropic"
        args = ["-p", "--output-format", "stream-json"]
        extra_args = ["--verbose"]
        access = "full"
        capabilities = ["code", "review"]
        max = 2
        memory = "4GiB"
        processes = 512
        silence_timeout = "15m"
        tool_timeout = "2h"
        run_timeout = "24h"
        question_timeout = 90
        acp_version = 2
        budget_usd = 2.5
        env = { CI = "1", LANG = "C" }
        pass_env = ["GITHUB_TOKEN"]
        confine = { path = "/srv/root", user = "nobody", ip4 = "10.0.0.2" }

        [agents."gpt-4.1"]
        kind = "codex"

        [workspaces.site]
        path = "/srv/site"
        isolation = "shared"
        base = "main"
        branch = "bot/{number}/{slug}"
        setup = "npm ci"
        setup_timeout = "5m"
        check = '''
        npm run lint
        npm test
        '''
        check_timeout = "30m"
        rework = 3
        land = "auto"
        merge = "squash"
        agents = ["claude", "gpt-4.1"]
        keep = "2d"

        [workspaces.plain]
        path = "/srv/plain"

        [groups.db]
        limit = 2

        [notify.ops]
        on = ["question", "failed"]
        exec = ["/usr/local/bin/tell-ops", "--now"]

        [notify.hook]
        on = "all"
        url = "http://example.org/hook?who=me"

        [retention]
        tasks = "60d"
        sessions = "10d"
        sessions_bytes = "5GiB"
        min_free = "2GiB"
        """;

    /// <summary>A key of [daemon] with a value of TOML, and the variable that says the same.</summary>
    public static List<(string Toml, string Variable)> DaemonKeys =>
    [
        ("daemon_socket = \"/s/c.sock\"", "COLIBRI_DAEMON_SOCKET=/s/c.sock"),
        ("db_path = \"/d/b.sqlite\"", "COLIBRI_DB_PATH=/d/b.sqlite"),
        ("sessions_dir = \"/e/sessions\"", "COLIBRI_SESSIONS_DIR=/e/sessions"),
        ("host = \"jay\"", "COLIBRI_HOST=jay"),
        ("cost_mode = \"max\"", "COLIBRI_COST_MODE=max"),
        ("scheduler_interval = \"250ms\"", "COLIBRI_SCHEDULER_INTERVAL=250ms"),
        ("max_agents = 17", "COLIBRI_MAX_AGENTS=17"),
        ("max_agents = \"17\"", "COLIBRI_MAX_AGENTS=17"),
        ("max_interruptions = 5", "COLIBRI_MAX_INTERRUPTIONS=5"),
        ("agent_binary = \"pi\"", "COLIBRI_AGENT_BINARY=pi"),
        ("agent_args = [\"--mode\", \"json\", \"it's a \\\"word\\\"\", \"\", \"a\\nb\"]", "COLIBRI_AGENT_ARGS=--mode json \"it's a \\\"word\\\"\" '' 'a\nb'"),
        ("agent_args = \"--mode 'js on'\"", "COLIBRI_AGENT_ARGS=--mode 'js on'"),
        ("autospawn = true", "COLIBRI_AUTOSPAWN=on"),
        ("autospawn = \"yes\"", "COLIBRI_AUTOSPAWN=on"),
        ("autospawn_binary = \"pi\"", "COLIBRI_AUTOSPAWN_BINARY=pi"),
        ("autospawn_args = [\"--mode\", \"rpc\"]", "COLIBRI_AUTOSPAWN_ARGS=--mode rpc"),
        ("autospawn_rpc_prompt = \"look around\"", "COLIBRI_AUTOSPAWN_RPC_PROMPT=look around"),
        ("providers = [\"deepseek:chat\", \"ollama:llama3:8b\", \"openrouter\"]", "COLIBRI_PROVIDERS=deepseek:chat,ollama:llama3:8b,openrouter"),
        ("providers = \"deepseek:chat, openrouter\"", "COLIBRI_PROVIDERS=deepseek:chat,openrouter"),
        ("providers_keyless = [\"ollama\"]", "COLIBRI_PROVIDERS_KEYLESS=ollama"),
        ("provider_env = \"/etc/keys\"", "COLIBRI_PROVIDER_ENV=/etc/keys"),
        ("stall_after = \"90m\"", "COLIBRI_STALL_AFTER=90m"),
        ("tool_timeout = \"5h\"", "COLIBRI_TOOL_TIMEOUT=5h"),
        ("silence_timeout = 90", "COLIBRI_SILENCE_TIMEOUT=90s"),
        ("question_timeout = \"3d\"", "COLIBRI_QUESTION_TIMEOUT=3d"),
        ("first_event_timeout = \"1m\"", "COLIBRI_FIRST_EVENT_TIMEOUT=1m"),
        ("stall_kill = true", "COLIBRI_STALL_KILL=1"),
        ("exit_timeout = \"10s\"", "COLIBRI_EXIT_TIMEOUT=10s"),
        ("run_timeout = \"2h\"", "COLIBRI_RUN_TIMEOUT=2h"),
        ("jail_priv_mode = \"sudo\"", "COLIBRI_JAIL_PRIV_MODE=sudo"),
        ("jail_stage_dir = \"/j/stage\"", "COLIBRI_JAIL_STAGE_DIR=/j/stage"),
        ("jail_root_base = \"/j/root\"", "COLIBRI_JAIL_ROOT_BASE=/j/root"),
        ("headroom_enabled = true", "COLIBRI_HEADROOM_ENABLED=1"),
        ("headroom_socket = \"/h/h.sock\"", "COLIBRI_HEADROOM_SOCKET=/h/h.sock"),
        ("budget_task_usd = 0.5", "COLIBRI_BUDGET_TASK_USD=0.5"),
        ("budget_day_usd = 20", "COLIBRI_BUDGET_DAY_USD=20"),
        ("prices_file = \"/p/prices\"", "COLIBRI_PRICES_FILE=/p/prices"),
        ("prompt_prefix_file = \"/p/prefix\"", "COLIBRI_PROMPT_PREFIX_FILE=/p/prefix"),
        ("scheduler_prompt_injection = true", "COLIBRI_SCHEDULER_PROMPT_INJECTION=1"),
        ("log_level = \"debug\"", "COLIBRI_LOG_LEVEL=debug"),
        ("log_format = \"json\"", "COLIBRI_LOG_FORMAT=json"),
    ];

    /// <summary>A file with one mistake, and what is said of it.</summary>
    public static List<(string Toml, string Said)> Mistakes =>
    [
        ("[daemon]\nmax_agent = 8", "2:1: daemon.max_agent is not known, did you mean max_agents?; the keys are the variables of colibri-daemon --help, in lower case and without COLIBRI_"),
        ("[daemon]\nCOLIBRI_MAX_AGENTS = 8", "2:1: daemon.COLIBRI_MAX_AGENTS is not known, did you mean max_agents?; "),
        ("[daemon]\nmax_agents = 0", "2:1: daemon.max_agents = 0 cannot be used: use a whole number from 1 to 4096"),
        ("[daemon]\n\n   max_agents = [8]", "3:4: daemon.max_agents = an array cannot be used: use a whole number, 1 to 4096"),
        ("[daemon]\nmax_agents = 1979-05-27", "2:1: daemon.max_agents = a date or a time cannot be used: use a whole number, 1 to 4096"),
        ("[daemon]\nhost = 5", "2:1: daemon.host = 5 cannot be used: use a text in quotes"),
        ("[daemon]\nautospawn = 1.5", "2:1: daemon.autospawn = 1.5 cannot be used: use true or false"),
        ("[daemon]\nautospawn = \"maybe\"", "2:1: daemon.autospawn = \"maybe\" cannot be used: use 1, true, yes or on; 0, false, no or off"),
        ("[daemon]\ncost_mode = \"cheap\"", "2:1: daemon.cost_mode = \"cheap\" cannot be used: use fast, smart, max"),
        ("[daemon]\nrun_timeout = \"soon\"", "2:1: daemon.run_timeout = \"soon\" cannot be used: use a duration such as 500ms, 30s, 5m or 4h, from 1s to 365d"),
        ("[daemon]\nrun_timeout = true", "2:1: daemon.run_timeout = true cannot be used: use a duration in quotes such as \"30s\" or \"4h\", 1s to 365d"),
        ("[daemon]\nbudget_day_usd = nan", "2:1: daemon.budget_day_usd = NaN cannot be used: use a number of US dollars such as 2.0"),
        ("[daemon]\nbudget_day_usd = -1", "2:1: daemon.budget_day_usd = -1 cannot be used: use an amount in US dollars"),
        ("[daemon]\nagent_args = [1]", "2:1: daemon.agent_args = an array cannot be used: use a list of strings such as [\"--mode\", \"json\"]"),
        ("[daemon]\nproviders = [\"a,b\"]", "2:1: daemon.providers = an array cannot be used: use a list of strings such as [\"one\", \"two\"], without commas in them"),
        ("[daemon]\ndb_path = \"b.sqlite\"", "2:1: daemon.db_path = \"b.sqlite\" cannot be used: use an absolute path"),
        ("[daemon]\nhost = \"a\\u0000b\"", "2:1: daemon.host = \"a?b\" cannot be used: use a text in quotes"),
        ("max_agents = 8", "1:1: max_agents stands before the first section; it is a key of [daemon]"),
        ("[agent.claude]\nkind = \"claude\"", "1:2: agent is not known, did you mean agents?; there are daemon, agents, workspaces, groups, notify, retention"),
        ("agents = 3", "1:1: agents = 3 cannot be used: it is a section, [agents]"),
        ("[agents]\nclaude = \"claude\"", "2:1: agents.claude = \"claude\" cannot be used: write [agents.NAME], and the keys below it"),
        ("[agents.\"two words\"]\nkind = \"pi\"", "1:2: agents.\"two words\" has a name that cannot be used: use 1 to 64 letters, digits, dots, _ and -, beginning with a letter or a digit"),
        ("[agents.-x]\nkind = \"pi\"", "1:2: agents.-x has a name that cannot be used"),
        ("[[agents]]\nkind = \"pi\"", "1:3: a table in double brackets has no meaning here; write [agents.NAME] and the like"),
        ("[agents.x]", "1:2: agents.x has no kind; use kind = one of " + string.Join(", ", Runtimes.All)),
        ("[agents.x]\nkind = \"claud\"", "2:1: agents.x.kind = \"claud\" cannot be used: did you mean \"claude\"? use \"" + string.Join("\", \"", Runtimes.All) + "\""),
        ("[agents.x]\nkind = \"local\"", "1:2: agents.x is of kind local and has no binary; name the program"),
        ("[agents.x]\nkind = \"pi\"\nmodle = \"m\"", "3:1: agents.x.modle is not known, did you mean model?; there are kind, binary, transport, model, provider, args, extra_args, access, "),
        ("[agents.x]\nkind = \"pi\"\nbinary = \"bin/pi\"", "3:1: agents.x.binary = \"bin/pi\" cannot be used: use a bare program name, or an absolute path"),
        ("[agents.x]\nkind = \"pi\"\nmodel = \"\"", "3:1: agents.x.model = \"\" cannot be used: use a text of one line in quotes, 1 to 4096 characters"),
        ("[agents.x]\nkind = \"pi\"\naccess = \"write\"", "3:1: agents.x.access = \"write\" cannot be used: use \"read\", \"edit\", \"full\""),
        ("[agents.x]\nkind = \"pi\"\nargs = \"-p\"", "3:1: agents.x.args = \"-p\" cannot be used: use a list of up to 1000 strings, such as [\"one\", \"two\"]"),
        ("[agents.x]\nkind = \"pi\"\ncapabilities = [\"\"]", "3:1: agents.x.capabilities holds \"\", which cannot be used: use a list of up to 64 names, such as [\"code\"]"),
        ("[agents.x]\nkind = \"pi\"\nmax = 0", "3:1: agents.x.max = 0 cannot be used: use a whole number from 1 to 4096"),
        ("[agents.x]\nkind = \"pi\"\nmax = 4097", "3:1: agents.x.max = 4097 cannot be used: use a whole number from 1 to 4096"),
        ("[agents.x]\nkind = \"pi\"\nmemory = \"4 gigs\"", "3:1: agents.x.memory = \"4 gigs\" cannot be used: use a size in quotes such as \"512MiB\" or \"4GiB\", from 16MiB to 1024TiB"),
        ("[agents.x]\nkind = \"pi\"\nmemory = \"1MiB\"", "3:1: agents.x.memory = \"1MiB\" cannot be used: use a size"),
        ("[agents.x]\nkind = \"pi\"\nsilence_timeout = \"99ms\"", "3:1: agents.x.silence_timeout = \"99ms\" cannot be used: use a duration in quotes such as \"30s\", \"5m\" or \"4h\", from 100ms to 365d"),
        ("[agents.x]\nkind = \"pi\"\nbudget_usd = -0.5", "3:1: agents.x.budget_usd = -0.5 cannot be used: use a number of US dollars such as 2.0, from 0 to 1000000"),
        ("[agents.x]\nkind = \"pi\"\nbudget_usd = inf", "3:1: agents.x.budget_usd = Infinity cannot be used: use a number of US dollars"),
        ("[agents.x]\nkind = \"pi\"\nenv = [\"A=1\"]", "3:1: agents.x.env = an array cannot be used: use a table of up to 256 variables, such as { CI = \"1\" }"),
        ("[agents.x]\nkind = \"pi\"\nenv = { A = 1 }", "3:9: agents.x.env.A cannot be used: use a text in quotes"),
        ("[agents.x]\nkind = \"pi\"\nenv = { \"A-B\" = \"1\" }", "3:9: agents.x.env.A-B is no variable: use letters, digits and _"),
        ("[agents.x]\nkind = \"pi\"\npass_env = [\"$HOME\"]", "3:1: agents.x.pass_env holds \"$HOME\", which cannot be used: use a list of up to 256 names of variables, such as [\"GITHUB_TOKEN\"]"),
        ("[agents.x]\nkind = \"pi\"\nconfine = \"/srv\"", "3:1: agents.x.confine = \"/srv\" cannot be used: use a table with path, user, ip4"),
        ("[agents.x]\nkind = \"pi\"\nconfine = { user = \"u\" }", "3:1: agents.x.confine = a table cannot be used: it needs a path, the directory that becomes the agent's root"),
        ("[agents.x]\nkind = \"pi\"\nconfine = { path = \"/r\", ip4 = \"10.0.0\" }", "3:26: agents.x.confine.ip4 = \"10.0.0\" cannot be used: use \"inherit\", \"disable\" for no network, or an address such as \"10.0.0.2\""),
        ("[agents.x]\nkind = \"pi\"\nconfine = { path = \"/r\", nmae = \"n\" }", "3:26: agents.x.confine.nmae is not known; there are path, user, ip4"),
        ("[agents.x]\nkind = \"pi\"\napi_key = \"sk-12345678\"", "3:1: agents.x.api_key looks like a secret, and this file holds none: put it into the file that COLIBRI_PROVIDER_ENV names"),
        ("[agents.x]\nkind = \"pi\"\nenv = { OPENAI_API_KEY = \"sk-12345678\" }", "3:9: agents.x.env.OPENAI_API_KEY looks like a secret, and this file holds none: put it into the file that COLIBRI_PROVIDER_ENV names, and its name into pass_env"),
        ("[daemon]\ngithub-token = \"sk-12345678\"", "2:1: daemon.github-token looks like a secret, and this file holds none"),
        ("openai_api_key = \"sk-12345678\"", "1:1: openai_api_key looks like a secret, and this file holds none"),
        ("[daemon]\napi_key = sk-12345678", "2:11: this is no TOML: "),
        ("[daemon]\napi_key = \"sk-12345678\"\napi_key = \"sk-12345678\"", "3:1: this is no TOML: the key daemon.api_key is there twice, first at line 2"),
        ("[daemon]\nOPENAI_KEY sk-12345678", "2:12: this is no TOML: Expecting ="),
        ("[daemon]\nsk-12345678", "2:12: this is no TOML: Expecting ="),
        ("[daemon]\nhost = \"a\" sk-12345678", "2:12: this is no TOML: Unexpected token found while expecting token newline"),
        ("[daemon]\nhost = [\"a\" sk-12345678]", "2:13: this is no TOML: "),
        ("[daemon]\nhost = { \"a\" sk-12345678 }", "2:14: this is no TOML: "),
        ("[daemon sk-12345678]", "1:9: this is no TOML: "),
        ("[workspaces.w]", "1:2: workspaces.w has no path; use path = the absolute path of a git repository"),
        ("[workspaces.w]\npath = \"site\"", "2:1: workspaces.w.path = \"site\" cannot be used: use an absolute path in quotes"),
        ("[workspaces.w]\npath = \"/w\"\nisolation = \"tree\"", "3:1: workspaces.w.isolation = \"tree\" cannot be used: use \"worktree\", \"shared\""),
        ("[workspaces.w]\npath = \"/w\"\nbase = \"-x\"", "3:1: workspaces.w.base = \"-x\" cannot be used: use a branch's name that git takes, such as \"main\""),
        ("[workspaces.w]\npath = \"/w\"\nbranch = \"colibri/{slug}\"", "3:1: workspaces.w.branch = \"colibri/{slug}\" cannot be used: use a branch's name that git takes, with {number} and perhaps {slug}, such as \"colibri/{number}-{slug}\""),
        ("[workspaces.w]\npath = \"/w\"\nbranch = \"a b/{number}\"", "3:1: workspaces.w.branch = \"a b/{number}\" cannot be used: "),
        ("[workspaces.w]\npath = \"/w\"\ncheck = \"\"", "3:1: workspaces.w.check = \"\" cannot be used: use a text in quotes, 1 to 65536 characters"),
        ("[workspaces.w]\npath = \"/w\"\ncheck_timeout = \"25h\"", "3:1: workspaces.w.check_timeout = \"25h\" cannot be used: use a duration in quotes such as \"30s\", \"5m\" or \"4h\", from 1s to 1d"),
        ("[workspaces.w]\npath = \"/w\"\nsetup_timeout = \"0s\"", "3:1: workspaces.w.setup_timeout = \"0s\" cannot be used: "),
        ("[workspaces.w]\npath = \"/w\"\nrework = 11", "3:1: workspaces.w.rework = 11 cannot be used: use a whole number from 0 to 10"),
        ("[workspaces.w]\npath = \"/w\"\nland = \"later\"", "3:1: workspaces.w.land = \"later\" cannot be used: use \"review\", \"auto\", \"never\""),
        ("[workspaces.w]\npath = \"/w\"\nmerge = \"ff\"", "3:1: workspaces.w.merge = \"ff\" cannot be used: use \"merge\", \"squash\", \"rebase\""),
        ("[agents.claude]\nkind = \"claude\"\n[workspaces.w]\npath = \"/w\"\nagents = [\"claud\"]", "5:1: workspaces.w.agents names \"claud\", and there is no [agents.claud], did you mean claude?"),
        ("[workspaces.w]\npath = \"/w\"\nkeep = \"-1d\"", "3:1: workspaces.w.keep = \"-1d\" cannot be used: "),
        ("[groups.db]", "1:2: groups.db has no limit; use limit = 1 to 10000: the most of its tasks that run at once"),
        ("[groups.db]\nlimit = 0", "2:1: groups.db.limit = 0 cannot be used: use a whole number from 1 to 10000"),
        ("[groups.db]\nlimit = 10001", "2:1: groups.db.limit = 10001 cannot be used: use a whole number from 1 to 10000"),
        ("[groups.db]\nlimit = \"2\"", "2:1: groups.db.limit = \"2\" cannot be used: "),
        ("[groups.db]\nlimit = 2\nlimits = 2", "3:1: groups.db.limits is not known, did you mean limit?; "),
        ("[group.db]\nlimit = 2", "1:2: group is not known, did you mean groups?; "),
        ("[groups.\"a b\"]\nlimit = 2", "1:2: groups.\"a b\" has a name that cannot be used"),
        ("[retention]\ntasks = \"59m\"", "2:1: retention.tasks = \"59m\" cannot be used: use a duration in quotes such as \"30s\", \"5m\" or \"4h\", from 1h to 36500d"),
        ("[retention]\nsessions_bytes = \"20GB\"", "2:1: retention.sessions_bytes = \"20GB\" cannot be used: use a size in quotes"),
        ("[retention]\nmin_free = \"none\"", "2:1: retention.min_free = \"none\" cannot be used: use a size in quotes such as \"512MiB\" or \"4GiB\", from 0 to 1024TiB"),
        ("[retention]\ntask = \"1d\"", "2:1: retention.task is not known, did you mean tasks?; there are tasks, sessions, sessions_bytes, min_free"),
        ("[notify.n]\nexec = [\"/bin/x\"]", "1:2: notify.n has no events; use on = \"all\", or a list of question, failed, review, held, budget, stalled, disk, provider, schedule, done; or every = \"24h\" for a digest"),
        ("[notify.n]\non = []\nexec = [\"/bin/x\"]", "2:1: notify.n.on is empty; use \"all\", or a list of question, "),
        ("[notify.n]\non = [\"questions\"]\nexec = [\"/bin/x\"]", "2:1: notify.n.on holds \"questions\", which cannot be used: use \"all\", or a list of question, "),
        ("[notify.n]\non = \"all\"", "1:2: notify.n needs one of exec, url, and desktop = true"),
        ("[notify.n]\non = \"all\"\nexec = [\"/bin/x\"]\nurl = \"http://x/\"", "1:2: notify.n needs one of exec, url, and desktop = true"),
        ("[notify.n]\non = \"all\"\nevery = \"1h\"\nexec = [\"/bin/x\"]", "1:2: notify.n has both on and every; "),
        ("[notify.n]\non = \"all\"\ndesktop = true\nsecret_file = \"/s\"", "1:2: notify.n has socket or secret_file without url"),
        ("[notify.n]\non = \"all\"\nurl = \"https://x/\"\nsocket = \"/s\"", "1:2: notify.n has a socket, so its url begins with http://"),
        ("[notify.n]\non = \"all\"\nexec = [\"/bin/x\"]\nquiet = \"22-7\"", "4:1: notify.n.quiet = \"22-7\" cannot be used: use two times of the day"),
        ("[notify.n]\non = \"all\"\nexec = [\"/bin/x\"]\ndesktop = \"yes\"", "4:1: notify.n.desktop = \"yes\" cannot be used: use true or false"),
        ("[notify.n]\non = \"all\"\nexec = [\"x\"]", "3:1: notify.n.exec = an array cannot be used: use a list with the absolute path of a program and its arguments"),
        ("[notify.n]\non = \"all\"\nurl = \"ftp://x/sk-12345678\"", "3:1: notify.n.url cannot be used: use an address that begins with http:// or https://, without user and password"),
        ("[daemon]\nmax_agents = ", "2:14: this is no TOML: "),
        ("[daemon\nmax_agents = 1", "1:8: this is no TOML: "),
        ("[daemon]\nhost = \"a", "2:9: this is no TOML: Invalid End-Of-File found on string literal"),
        ("[daemon]\nhost = \"a\"\nhost = \"b\"", "3:1: this is no TOML: the key daemon.host is there twice, first at line 2"),
        ("[agents.a]\nkind = \"pi\"\n[agents.a]\nmax = 1", "3:1: this is no TOML: the key agents.a is there twice, first at line 1"),
        ($"[daemon]\nagent_args = {new string('[', 100)}", "1:1: this is no TOML: "),
    ];

    [Test]
    public void Every_key_of_the_sections_is_read()
    {
        var settings = Settings.ReadFile(Everything).Settings;

        settings.File.ShouldBe(Settings.File);
        settings.Daemon.MaxAgents.ShouldBe(8);
        settings.Agents.Select(profile => profile.Name).ShouldBe(["claude", "gpt-4.1"]);
        settings.Agent("claude").ShouldBeEquivalentTo(new ProfileSettings
        {
            Name = "claude",
            Kind = "claude",
            Binary = "/opt/claude",
            Transport = Transport.Duplex,
            AcpVersion = 2,
            Model = "opus",
            Provider = "anthropic",
            Arguments = new List<string> { "-p", "--output-format", "stream-json" },
            ExtraArguments = new List<string> { "--verbose" },
            Access = Access.Full,
            Capabilities = new List<string> { "code", "review" },
            Max = 2,
            MemoryBytes = 4L << 30,
            Processes = 512,
            SilenceTimeout = TimeSpan.FromMinutes(15),
            ToolTimeout = TimeSpan.FromHours(2),
            RunTimeout = TimeSpan.FromHours(24),
            QuestionTimeout = TimeSpan.FromSeconds(90),
            BudgetMicrocents = 250_000_000,
            Environment = new Dictionary<string, string> { ["CI"] = "1", ["LANG"] = "C" },
            PassedEnvironment = new List<string> { "GITHUB_TOKEN" },
            Confine = new ConfineSettings { Path = "/srv/root", User = "nobody", Ip4 = "10.0.0.2" },
        });
        settings.Agent("gpt-4.1").ShouldBeEquivalentTo(new ProfileSettings { Name = "gpt-4.1", Kind = "codex" });
        settings.Workspace("site").ShouldBeEquivalentTo(new WorkspaceSettings
        {
            Name = "site",
            Path = "/srv/site",
            Isolation = Isolation.Shared,
            Base = "main",
            Branch = "bot/{number}/{slug}",
            Setup = "npm ci",
            SetupTimeout = TimeSpan.FromMinutes(5),
            Check = "npm run lint\nnpm test\n",
            CheckTimeout = TimeSpan.FromMinutes(30),
            Rework = 3,
            Land = LandMode.Auto,
            Merge = MergeMode.Squash,
            Agents = new List<string> { "claude", "gpt-4.1" },
            Keep = TimeSpan.FromDays(2),
        });
        settings.Workspace("plain").ShouldBeEquivalentTo(new WorkspaceSettings { Name = "plain", Path = "/srv/plain" });
        settings.Groups.ShouldBe([new GroupSettings { Name = "db", Limit = 2 }]);
        settings.GroupLimits.ShouldBe(new Dictionary<string, int> { ["db"] = 2 });
        settings.Notify.Count.ShouldBe(2);
        (settings.Notify[0].Name, settings.Notify[0].Url).ShouldBe(("ops", null));
        settings.Notify[0].On.ShouldBe(["question", "failed"]);
        settings.Notify[0].Exec.ShouldBe(["/usr/local/bin/tell-ops", "--now"]);
        (settings.Notify[1].On, settings.Notify[1].Url, settings.Notify[1].Exec).ShouldBe((NotifySettings.Events, "http://example.org/hook?who=me", null));
        settings.Retention.ShouldBe(new RetentionSettings { Tasks = TimeSpan.FromDays(60), Sessions = TimeSpan.FromDays(10), SessionsBytes = 5L << 30, MinFreeBytes = 2L << 30, StatesMinFree = true });
    }

    [Test]
    public void No_key_of_a_section_is_left_out_of_the_test_above()
    {
        var sections = EffectiveSettings.SectionsOf(Settings.ReadFile(Everything).Settings).ToDictionary(section => section.Key, section => section.Values);
        foreach (var key in sections["agents.claude"].Concat(sections["workspaces.site"]).Concat(sections["groups.db"]).Concat(sections["retention"]))
            Everything.ShouldContain($"\n{key.Name} = ");
    }

    [Test]
    [Arguments("COLIBRI_HOST=jay")]
    [Arguments("HOME=/home/op")]
    public void Without_a_file_the_environment_decides_alone(string assignment)
    {
        var environment = new Dictionary<string, string> { ["HOME"] = "/home/op", [assignment.Split('=')[0]] = assignment.Split('=')[1] };
        var settings = new SettingsReader(environment, _ => false, "clawdie").Read(null, _ => throw new InvalidOperationException()).Settings;

        settings.Daemon.ShouldBeEquivalentTo(Settings.Read(assignment));
        (settings.File, settings.Agents.Count, settings.Workspaces.Count, settings.Notify.Count, settings.Retention).ShouldBe((null, 0, 0, 0, new RetentionSettings()));
    }

    [Test]
    public void An_empty_file_changes_nothing() => Settings.ReadFile("\ufeff# nothing\n").Settings.Daemon.ShouldBeEquivalentTo(Settings.Read());

    [Test]
    [MethodDataSource(nameof(DaemonKeys))]
    public void A_key_of_the_daemon_says_what_its_variable_says(string toml, string variable)
    {
        var reading = Settings.ReadFile($"[daemon]\n{toml}");

        reading.Settings.Daemon.ShouldBeEquivalentTo(Settings.Read(variable));
        reading.Settings.Daemon.ShouldNotBe(Settings.Read());
        reading.OriginOf(DaemonConfiguration.All.Single(setting => setting.Name == variable.Split('=')[0])).ShouldBe($"{Settings.File}:2");
    }

    [Test]
    public void Every_setting_of_the_daemon_is_read_from_the_file() =>
        DaemonKeys.Select(one => one.Variable.Split('=')[0]).Distinct().ShouldBe(DaemonConfiguration.All.Select(setting => setting.Name), ignoreOrder: true);

    [Test]
    public void The_environment_wins_and_an_empty_variable_does_not()
    {
        var reading = Settings.ReadFile("[daemon]\nmax_agents = 8\nhost = \"file\"\nlog_level = \"\"", "COLIBRI_MAX_AGENTS=3", "COLIBRI_HOST=");

        (reading.Settings.Daemon.MaxAgents, reading.Settings.Daemon.Host, reading.Settings.Daemon.LogLevel).ShouldBe((3, "file", LogLevel.Information));
        Origin("COLIBRI_MAX_AGENTS").ShouldBe("environment");
        Origin("COLIBRI_HOST").ShouldBe($"{Settings.File}:3");
        Origin("COLIBRI_LOG_LEVEL").ShouldBe("default");
        Origin("COLIBRI_DB_PATH").ShouldBe("default");
        reading.IsStated(DaemonConfiguration.All[0]).ShouldBeFalse();

        string Origin(string name) => reading.OriginOf(DaemonConfiguration.All.Single(setting => setting.Name == name));
    }

    [Test]
    public void A_default_that_follows_from_another_setting_follows_from_the_files_too() =>
        Settings.ReadFile("[daemon]\ndb_path = \"/d/b.sqlite\"").Settings.Daemon.SessionsDirectory.ShouldBe("/d/sessions");

    [Test]
    public void A_mistake_of_the_environment_names_the_variable() =>
        Should.Throw<ConfigurationException>(() => Settings.ReadFile("[daemon]\nmax_agents = 8", "COLIBRI_MAX_AGENTS=0")).Message.ShouldStartWith("COLIBRI_MAX_AGENTS=0 cannot be used: ");

    [Test]
    [MethodDataSource(nameof(Mistakes))]
    public void A_mistake_is_told_with_its_place_its_key_and_what_is_allowed(string toml, string said)
    {
        var message = Settings.FileRefusal(toml);

        message.ShouldStartWith(said);
        message.ShouldNotContain("sk-1");
        message.ShouldAllBe(c => !char.IsControl(c));
        message.Length.ShouldBeLessThan(500);
    }

    [Test]
    public void The_first_of_several_mistakes_is_told_with_how_many_there_are_besides()
    {
        Settings.FileRefusal("[retention]\ntasks = 1\n[daemon]\nmax_agents = 0\nhots = \"x\"").ShouldBe(
            "2:1: retention.tasks = 1 cannot be used: use a duration in quotes such as \"30s\", \"5m\" or \"4h\", from 1h to 36500d (and 2 more mistakes)");
        Settings.FileRefusal("[daemon]\nmax_agents = 0\nhots = \"x\"").ShouldEndWith("(and 1 more mistake)");
    }

    [Test]
    [Arguments("agents", 256, "kind = \"pi\"")]
    [Arguments("workspaces", 1_024, "path = \"/w\"")]
    [Arguments("groups", 1_024, "limit = 2")]
    [Arguments("notify", 64, "on = \"all\"\nexec = [\"/x\"]")]
    public void Sections_of_a_kind_are_bounded(string section, int most, string keys)
    {
        var many = string.Concat(Enumerable.Range(1, most).Select(i => $"[{section}.n{i}]\n{keys}\n"));

        Settings.ReadFile(many);
        Settings.FileRefusal($"{many}[{section}.last]\n{keys}").ShouldEndWith($": {section}.last is one too many: at most {most} of [{section}.NAME]");
    }

    [Test]
    public void Dotted_keys_and_inline_tables_are_read_as_sections_are()
    {
        var settings = Settings.ReadFile("agents.a = { kind = \"pi\", env.CI = \"1\" }\nagents.b.kind = \"zot\"\n[workspaces]\nw.path = \"/w\"").Settings;

        settings.Agents.Select(profile => (profile.Name, profile.Kind)).ShouldBe([("a", "pi"), ("b", "zot")]);
        settings.Agents[0].Environment.ShouldBe(new Dictionary<string, string> { ["CI"] = "1" });
        settings.Workspaces.ShouldHaveSingleItem().Path.ShouldBe("/w");
    }

    [Test]
    public void A_profile_needs_its_kind_and_nothing_else()
    {
        foreach (var kind in Runtimes.Kinds.Where(kind => !kind.NeedsBinary).Select(kind => kind.Name))
            Settings.ReadFile($"[agents.x]\nkind = \"{kind}\"").Settings.Agents.ShouldHaveSingleItem().ShouldBeEquivalentTo(new ProfileSettings { Name = "x", Kind = kind });
    }

    [Test]
    public void Sessions_may_be_kept_without_a_limit() =>
        Settings.ReadFile("[retention]\nsessions_bytes = \"none\"\nmin_free = 0").Settings.Retention.ShouldBe(new RetentionSettings { SessionsBytes = null, MinFreeBytes = 0, StatesMinFree = true });

    /// <summary>A file that is being written may be cut anywhere, and a broken disk puts anything into it.</summary>
    [Test]
    public void A_file_that_is_cut_or_broken_anywhere_is_read_or_refused_in_one_line()
    {
        var random = new Random(20261127);
        var refused = 0;
        for (var i = 0; i < 2 * Everything.Length; i++)
        {
            var text = i < Everything.Length ? Everything[..i] : Broken(random);
            try
            {
                Settings.ReadFile(text);
            }
            catch (ConfigurationException e)
            {
                refused++;
                e.Message.ShouldMatch($@"^{Settings.File}:\d+:\d+: [^\n\r]+$", text);
            }
        }
        refused.ShouldBeGreaterThan(1_000);

        static string Broken(Random random)
        {
            var text = Everything.ToCharArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                text[random.Next(text.Length)] = "\0\n\"'[]{}=.,#\\x0\ud800\u2028"[random.Next(17)];
            return new string(text);
        }
    }
}

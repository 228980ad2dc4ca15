using Colibri.Cli;
using Colibri.Cli.Commands;
using Colibri.UnitTests.Protocol.Client;

namespace Colibri.UnitTests.Cli.Parsing;

public sealed class CommandBindingTests
{
    // Arguments are separated by '|'.
    public static List<(string, string)> Requests =>
    [
        ("ping", """{"cmd":"ping"}"""),
        ("status", """{"cmd":"status"}"""),
        ("health", """{"cmd":"status"}"""),
        ("snapshot", """{"cmd":"snapshot"}"""),
        ("reload", """{"cmd":"reload"}"""),
        ("doctor", """{"cmd":"doctor"}"""),
        ("set-cost-mode|fast", """{"cmd":"set-cost-mode","mode":"fast"}"""),
        ("set-cost-mode|--mode|max", """{"cmd":"set-cost-mode","mode":"max"}"""),
        ("create-task|--title|T", """{"cmd":"create-task","title":"T"}"""),
        (
            "create-task|--title|Fix é 'it'|--description|D|--capability|a|--capability|b|--priority|-5|--max-attempts|2|--key|k",
            """{"cmd":"create-task","title":"Fix é 'it'","description":"D","capabilities":["a","b"],"priority":-5,"max_attempts":2,"key":"k"}"""
        ),
        ("create-task|--title=--json|--description|-", """{"cmd":"create-task","title":"--json","description":"from stdin\n"}"""),
        ("create-task|--title|@file|--key|a=b", """{"cmd":"create-task","title":"@file","key":"a=b"}"""),
        ("create-task|--title|create-task|--key|-x", """{"cmd":"create-task","title":"create-task","key":"-x"}"""),
        ("create-task|--title=--help|--key=-h", """{"cmd":"create-task","title":"--help","key":"-h"}"""),
        ("create-task|--title=--version", """{"cmd":"create-task","title":"--version"}"""),
        ("create-task|--title=--|--key=--title", """{"cmd":"create-task","title":"--","key":"--title"}"""),
        ("create-task|--title|-h|--key:k", """{"cmd":"create-task","title":"-h","key":"k"}"""),
        ("create-task|--title|T|--capability=a,b|--capability|[1]|--capability|", """{"cmd":"create-task","title":"T","capabilities":["a,b","[1]",""]}"""),
        ("create-task|--title|T|--priority| 7 ", """{"cmd":"create-task","title":"T","priority":7}"""),
        ("create-task|--title|", """{"cmd":"create-task","title":""}"""),
        ("intake-task|--title|T|--key|k", """{"cmd":"intake-task","title":"T","key":"k"}"""),
        ("get-task|t1", """{"cmd":"get-task","task_id":"t1"}"""),
        ("get-task|--task-id|t1", """{"cmd":"get-task","task_id":"t1"}"""),
        ("get-task|t1|--task-id|t1", """{"cmd":"get-task","task_id":"t1"}"""),
        ("prompt|--text|t|a", """{"cmd":"prompt","agent_id":"a","text":"t"}"""),
        ("prompt|--|a|-x", """{"cmd":"prompt","agent_id":"a","text":"-x"}"""),
        ("get-task|--|-t1", """{"cmd":"get-task","task_id":"-t1"}"""),
        ("list-tasks", """{"cmd":"list-tasks","order":"newest"}"""),
        ("list-tasks|--status|failed|--limit|20|--after|c", """{"cmd":"list-tasks","status":"failed","limit":20,"after":"c","order":"newest"}"""),
        (
            "list-tasks|--status|held|--order|oldest|--agent|a|-w|site|--group|g|--tag|t",
            """{"cmd":"list-tasks","status":"held","workspace":"site","group":"g","order":"oldest","tag":"t","agent":"a"}"""
        ),
        (
            "create-task|--title|T|--agent|claude|--model|m|--workspace|site|--after|1|--after|2|--not-before|2026-11-27T22:00:00Z|--group|g|--tag|a|--tag|b|--check|make|--run-timeout-ms|5|--budget-microcents|6|--tenant|x",
            """{"cmd":"create-task","title":"T","after":["1","2"],"workspace":"site","group":"g","tags":["a","b"],"check":"make","run_timeout_ms":5,"budget_microcents":6,"tenant":"x","not_before":"2026-11-27T22:00:00.000Z","model":"m","agent":"claude"}"""
        ),
        ("add|Fix|the|test|-w|site", """{"cmd":"create-task","title":"Fix the test","workspace":"site"}"""),
        ("add|Fix it|-|--cwd|sub", """{"cmd":"create-task","title":"Fix it","description":"from stdin\n","cwd":"/here/sub"}"""),
        ("add|Fix it", """{"cmd":"status"}"""),
        ("retry|12|--feedback|more", """{"cmd":"retry-task","task_id":"12","feedback":"more"}"""),
        ("retry|--failed", """{"cmd":"list-tasks","status":"failed","limit":1000}"""),
        ("logs|12|-f", """{"cmd":"get-task","task_id":"12"}"""),
        ("retry-task|12|--feedback|-", """{"cmd":"retry-task","task_id":"12","feedback":"from stdin\n"}"""),
        ("edit-task|12|--title|T|--after||--agent|", """{"cmd":"edit-task","task_id":"12","title":"T","after":"","agent":""}"""),
        ("get-change|12|--patch", """{"cmd":"get-change","task_id":"12","patch":true}"""),
        ("diff|12", """{"cmd":"get-change","task_id":"12","patch":true}"""),
        ("diff|12|--stat", """{"cmd":"get-change","task_id":"12"}"""),
        ("land-task|12|--force", """{"cmd":"land-task","task_id":"12","force":true}"""),
        ("land|12", """{"cmd":"land-task","task_id":"12"}"""),
        ("discard-task|12", """{"cmd":"discard-task","task_id":"12"}"""),
        ("discard|12|--force", """{"cmd":"discard-task","task_id":"12","force":true}"""),
        (
            "schedule-task|news|--cron|0 7 * * 1-5|--zone|Europe/Berlin|Write|the|report|--agent|claude|--after|3|--tag|a|--overlap|queue|--missed|all|--missed-max|5|--jitter-ms|9",
            """{"cmd":"schedule-task","cron":"0 7 * * 1-5","zone":"Europe/Berlin","overlap":"queue","missed":"all","missed_max":5,"jitter_ms":9,"task":{"title":"Write the report","agent":"claude","after":["3"],"tags":["a"]},"name":"news"}"""
        ),
        ("schedule-task|s|--every-ms|500|T|--next|3", """{"cmd":"schedule-task","every_ms":500,"next":3,"task":{"title":"T"},"name":"s"}"""),
        ("schedule|s|--at|2026-11-27T22:00|T|-w|site", """{"cmd":"schedule-task","at":"2026-11-27T22:00","task":{"title":"T","workspace":"site"},"name":"s"}"""),
        ("schedule|s|--cron|@daily|T", """{"cmd":"status"}"""),
        ("schedules", """{"cmd":"list-schedules"}"""),
        ("list-schedules", """{"cmd":"list-schedules"}"""),
        ("delete-schedule|s", """{"cmd":"delete-schedule","name":"s"}"""),
        ("pause-schedule|s", """{"cmd":"pause-schedule","name":"s"}"""),
        ("resume-schedule|s", """{"cmd":"resume-schedule","name":"s"}"""),
        ("list-tasks|--schedule|s", """{"cmd":"list-tasks","order":"newest","schedule":"s"}"""),
        ("inbox", """{"cmd":"inbox"}"""),
        ("delete-task|12", """{"cmd":"delete-task","task_id":"12"}"""),
        ("drain|--timeout-ms|5", """{"cmd":"drain","timeout_ms":5}"""),
        ("follow-session|s|--from|3", """{"cmd":"follow-session","session_id":"s","from":3}"""),
        ("follow-session|--task-id|12", """{"cmd":"follow-session","task_id":"12"}"""),
        ("claim-task|--task-id|t|--agent-id|a", """{"cmd":"claim-task","task_id":"t","agent_id":"a"}"""),
        ("claim-task|t|--agent-id|a", """{"cmd":"claim-task","task_id":"t","agent_id":"a"}"""),
        ("transition-task|t|--status|done", """{"cmd":"transition-task","task_id":"t","status":"done"}"""),
        ("transition-task|--task-id|t|--status|done", """{"cmd":"transition-task","task_id":"t","status":"done"}"""),
        (
            "transition-task|--task-id|t|--status|failed|--error-code|oom|--error-message|out of memory",
            """{"cmd":"transition-task","task_id":"t","status":"failed","error":{"code":"oom","message":"out of memory"}}"""
        ),
        (
            "transition-task|--task-id|t|--status|failed|--error-message|m",
            """{"cmd":"transition-task","task_id":"t","status":"failed","error":{"code":"failed","message":"m"}}"""
        ),
        ("cancel-task|t", """{"cmd":"cancel-task","task_id":"t"}"""),
        ("hold-task|t", """{"cmd":"hold-task","task_id":"t"}"""),
        ("release-task|t", """{"cmd":"release-task","task_id":"t"}"""),
        ("create-task|--title|T|--after|1|--after|2|--on-failed|fail", """{"cmd":"create-task","title":"T","after":["1","2"],"on_failed":"fail"}"""),
        ("edit-task|3|--on-failed|run", """{"cmd":"edit-task","task_id":"3","on_failed":"run"}"""),
        ("create-task|--title|T|--hold", """{"cmd":"create-task","title":"T","hold":true}"""),
        ("spawn-agent|claude|--access|edit", """{"cmd":"spawn-agent","binary":"claude","cwd":"/here","access":"edit"}"""),
        ("spawn-agent|pi", """{"cmd":"spawn-agent","binary":"pi","cwd":"/here"}"""),
        (
            "spawn-agent|bin/../zot|--runtime|zot|--provider|p|--model|m|--task-id|t|--session-id|s|--cwd|./sub|--env|A=1|--env|B=x=y|--rpc|--prompt|go|--|rpc|--json|--help",
            """{"cmd":"spawn-agent","task_id":"t","session_id":"s","binary":"/here/bin/../zot","runtime":"zot","args":["rpc","--json","--help"],"provider":"p","model":"m","cwd":"/here/sub","env":{"A":"1","B":"x=y"},"rpc":true,"prompt":"go"}"""
        ),
        (
            "spawn-agent|/usr/bin/pi|--jail-name|n|--jail-path|/p|--jail-root-path|/r|--jail-ip4|10.0.0.2|--jail-user|u",
            """{"cmd":"spawn-agent","binary":"/usr/bin/pi","jail":{"name":"n","path":"/p","root_path":"/r","ip4":"10.0.0.2","user":"u"}}"""
        ),
        ("spawn-agent|pi|--prompt|-|--cwd|/work", """{"cmd":"spawn-agent","binary":"pi","cwd":"/work","prompt":"from stdin\n"}"""),
        (
            "spawn-local|./agent|--session-id|s|--|--step-ms|50",
            """{"cmd":"spawn-local","session_id":"s","path":"/here/agent","args":["--step-ms","50"],"cwd":"/here"}"""
        ),
        ("stop-agent|a|--grace-ms|2000", """{"cmd":"stop-agent","agent_id":"a","grace_ms":2000}"""),
        ("list-agents", """{"cmd":"list-agents"}"""),
        ("list-kinds", """{"cmd":"list-kinds"}"""),
        ("list-kinds|claude", """{"cmd":"list-kinds","runtime":"claude"}"""),
        ("agents", """{"cmd":"list-kinds"}"""),
        ("agents|-v", """{"cmd":"list-kinds"}"""),
        ("agents|claude", """{"cmd":"list-kinds","runtime":"claude"}"""),
        (
            "register-agent|builder|--capability|dotnet|--host|h",
            """{"cmd":"register-agent","capabilities":["dotnet"],"name":"builder","host":"h"}"""
        ),
        ("heartbeat|a", """{"cmd":"heartbeat","agent_id":"a"}"""),
        ("list-sessions", """{"cmd":"list-sessions"}"""),
        ("get-session|s", """{"cmd":"get-session","session_id":"s"}"""),
        ("get-session|s|--all|--full", """{"cmd":"get-session","session_id":"s","all":true}"""),
        ("get-session|s|--limit|20", """{"cmd":"get-session","session_id":"s","limit":20}"""),
        ("compact-session|s", """{"cmd":"compact-session","session_id":"s"}"""),
        (
            "append-session|s|--kind|tool_result|--text|out|--tool|bash|--is-error",
            """{"cmd":"append-session","session_id":"s","entry":{"seq":0,"ts":"0001-01-01T00:00:00.000Z","kind":"tool_result","text":"out","tool":"bash","is_error":true}}"""
        ),
        (
            "append-session|s|--kind|usage|--input-tokens|7|--cost-microcents|9",
            """{"cmd":"append-session","session_id":"s","entry":{"seq":0,"ts":"0001-01-01T00:00:00.000Z","kind":"usage","usage":{"input_tokens":7,"output_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0,"cost_microcents":9}}}"""
        ),
        ("get-prompt|s|--scratch|now", """{"cmd":"get-prompt","session_id":"s","scratch":"now"}"""),
        (
            "register-skill|review|--description|Reads|--category|quality",
            """{"cmd":"register-skill","description":"Reads","name":"review","category":"quality"}"""
        ),
        ("list-skills", """{"cmd":"list-skills"}"""),
        ("register-skill|dig|--category|c|--description|d|--path|/s|--agent|a|--agent|b", """{"cmd":"register-skill","description":"d","path":"/s","name":"dig","category":"c","agents":["a","b"]}"""),
        ("delete-skill|dig", """{"cmd":"delete-skill","name":"dig"}"""),
        ("register-tenant|acme|--jail-root-path|/j", """{"cmd":"register-tenant","tenant_id":"acme","jail_root_path":"/j"}"""),
        ("register-tenant|--tenant-id|acme|--jail-root-path|/j", """{"cmd":"register-tenant","tenant_id":"acme","jail_root_path":"/j"}"""),
        ("list-tenants", """{"cmd":"list-tenants"}"""),
        ("delete-tenant|acme", """{"cmd":"delete-tenant","tenant_id":"acme"}"""),
        ("prompt|a|Go on", """{"cmd":"prompt","agent_id":"a","text":"Go on"}"""),
        ("prompt|a|-", """{"cmd":"prompt","agent_id":"a","text":"from stdin\n"}"""),
        ("answer|a|--request|q|--yes", """{"cmd":"answer","agent_id":"a","request":"q","confirmed":true}"""),
        ("answer|a|--request|q|--no", """{"cmd":"answer","agent_id":"a","request":"q","confirmed":false}"""),
        ("answer|a|--request|q|--value|v", """{"cmd":"answer","agent_id":"a","request":"q","value":"v"}"""),
        ("answer|a|--yes", """{"cmd":"snapshot"}"""),
        ("answer|a|--request|q|--cancel", """{"cmd":"answer","agent_id":"a","request":"q","cancelled":true}"""),
        ("cost", """{"cmd":"cost"}"""),
        ("cost|--by|day|--limit|7", """{"cmd":"cost","limit":7,"by":"day"}"""),
        ("cost|--by|day-profile", """{"cmd":"cost","by":"day-profile"}"""),
        ("list-runs", """{"cmd":"list-runs"}"""),
        ("get-metrics", """{"cmd":"get-metrics"}"""),
        ("metrics", """{"cmd":"get-metrics"}"""),
        ("list-runs|12|--limit|7|--before|r", """{"cmd":"list-runs","task_id":"12","limit":7,"before":"r"}"""),
        ("budget", """{"cmd":"budget"}"""),
        ("notify", """{"cmd":"status"}"""),
        ("notify|test|ops", """{"cmd":"test-sink","sink":"ops"}"""),
        ("notify|retry", """{"cmd":"retry-notices"}"""),
        ("notify|retry|ops", """{"cmd":"retry-notices","sink":"ops"}"""),
        ("list-notices", """{"cmd":"list-notices"}"""),
        ("list-notices|--sink|ops|--limit|7", """{"cmd":"list-notices","limit":7,"sink":"ops"}"""),
        ("test-sink|ops", """{"cmd":"test-sink","sink":"ops"}"""),
        ("retry-notices|--sink|ops", """{"cmd":"retry-notices","sink":"ops"}"""),
        ("pause-queue", """{"cmd":"pause-queue"}"""),
        ("pause-queue|--provider|openai|--agent|pi|--reason|the plan", """{"cmd":"pause-queue","provider":"openai","agent":"pi","reason":"the plan"}"""),
        ("resume-queue|--provider=openai", """{"cmd":"resume-queue","provider":"openai"}"""),
        ("resume-queue|--agent|pi", """{"cmd":"resume-queue","agent":"pi"}"""),
        ("pause-queue|-w|site", """{"cmd":"pause-queue","workspace":"site"}"""),
        ("resume-queue|--workspace|site", """{"cmd":"resume-queue","workspace":"site"}"""),
        ("prune", """{"cmd":"prune"}"""),
        ("prune|--older-than|30d|--dry-run", """{"cmd":"prune","older_than":"30d","dry_run":true}"""),
        ("budget|lift", """{"cmd":"budget","action":"lift"}"""),
        ("watch|--topic|tasks|--topic|cost", """{"cmd":"subscribe","topics":["tasks","cost"]}"""),
        ("watch", """{"cmd":"subscribe"}"""),
        ("wait|t", """{"cmd":"subscribe","topics":["tasks"]}"""),
        ("wait|t|u|--any", """{"cmd":"subscribe","topics":["tasks"]}"""),
    ];

    [Test]
    [MethodDataSource(nameof(Requests))]
    public async Task A_command_line_becomes_this_request(string commandLine, string request)
    {
        await using var daemon = FakeDaemon.Answering("""{"ok":false,"error":{"code":"conflict","message":"not now"}}""");

        // Before the command: what stands after "--" is not ours.
        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, .. commandLine.Split('|')], "from stdin\n");

        daemon.Requests.ShouldBe([request]);
        run.ShouldBe(new CliRun(ExitCodes.Refused, "", "colibri: not now (conflict)\n"));
    }

    [Test]
    public void Every_command_of_the_table_is_bound_in_a_test() =>
        CommandTable.All.Select(c => c.Name)
            .Except(Requests.Select(r => r.Item1.Split('|')[0]))
            .ShouldBe(["prefix-check", "top", "completion", "schema", "version", "help"]);

    [Test]
    [Arguments("--socket", "SOCKET", "--json", "ping")]
    [Arguments("--json", "ping", "--socket", "SOCKET")]
    [Arguments("ping", "--json", "--socket=SOCKET")]
    [Arguments("--json", "--socket=SOCKET", "ping", "--json")]
    public async Task Socket_and_json_are_taken_before_and_after_the_command(params string[] words)
    {
        await using var daemon = FakeDaemon.Granting("""{"z":[1, 2]}""");

        var run = await CliRun.OfAsync([.. words.Select(w => w.Replace("SOCKET", daemon.SocketPath, StringComparison.Ordinal))]);

        run.ShouldBe(new CliRun(ExitCodes.Done, "{\"z\":[1, 2]}\n", ""));
    }

    [Test]
    public async Task Without_the_option_the_variable_names_the_socket()
    {
        await using var daemon = FakeDaemon.Granting("{}");

        var run = await CliRun.OfAsync(["ping", "--json"], environment: new() { ["COLIBRI_DAEMON_SOCKET"] = daemon.SocketPath });

        run.ShouldBe(new CliRun(ExitCodes.Done, "{}\n", ""));
    }

    [Test]
    public async Task Without_either_a_user_s_own_daemon_is_looked_for_where_its_folder_is()
    {
        await using var daemon = FakeDaemon.Granting("{}");
        var home = Directory.CreateTempSubdirectory("ch");
        var socket = home.CreateSubdirectory("colibri").FullName + "/colibri.sock";
        File.CreateSymbolicLink(socket, daemon.SocketPath);

        var run = await CliRun.OfAsync(["ping", "--json"], environment: new() { ["XDG_RUNTIME_DIR"] = home.FullName });

        run.ShouldBe(new CliRun(ExitCodes.Done, "{}\n", ""));
        home.Delete(recursive: true);
    }
}

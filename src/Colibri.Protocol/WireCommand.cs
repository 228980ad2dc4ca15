using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Json;

namespace Colibri.Protocol;

/// <summary>
/// One command of the wire protocol. This table is what the daemon's handlers, the CLI, <c>docs/protocol.md</c> and the manual page are held
/// against.
/// </summary>
public sealed class WireCommand
{
    private static readonly WireField[] NewTask =
    [
        new("title", WireField.Required, "1,000 code units, no control characters", "what to do, in a line"),
        new("description", "\"\"", "text", "all the agent needs to know"),
        new("capabilities", "[]", "up to 64 names", "what an agent must be able to do to get it"),
        new("priority", "0", "any 32-bit integer", "higher starts first"),
        new("max_attempts", "3", "1 to 100", "attempts before it counts as failed"),
        new("key", "none", "name", "a second request with the same key makes no second task"),
        new("session_id", "none", "session id", "log to this session, and go on in it"),
        new("hold", "false", "boolean", "keep it from starting until it is released"),
        new("agent", "any", "name of 64 code units", "the profile that is to do it"),
        new("model", "the profile's", "name", "the model, in place of the profile's"),
        new("workspace", "none", "name of 64 code units", "the workspace to work in"),
        new("cwd", "a directory of its own", "absolute path", "the directory to work in; not with a workspace"),
        new("after", "[]", "up to 64 tasks", "what must be done before it starts"),
        new("on_failed", "hold", "hold, fail or run", "what becomes of it when one of those is not done"),
        new("not_before", "at once", "time", "when it may start at the earliest"),
        new("group", "none", "name of 64 code units", "what it belongs to"),
        new("tags", "[]", "up to 32 names of 64 code units", "words to find it by"),
        new("check", "the workspace's", "text of 4,096 code units", "a shell command that must pass"),
        new("run_timeout_ms", "the profile's", "1 to 2,592,000,000", "how long one run may take"),
        new("budget_microcents", "the profile's", "1 to 9,000,000,000,000,000", "what it may cost over all its runs"),
        new("tenant", "none", "name", "the tenant in whose root it runs"),
    ];

    private readonly Func<ProtocolJson, JsonTypeInfo> _reply;

    private WireCommand(string name, Func<ProtocolJson, JsonTypeInfo> reply, string summary, params WireField[] fields)
    {
        (Name, _reply, Summary, Fields) = (name, reply, summary, fields);
    }

    /// <summary>As it stands in <c>cmd</c>, and on the CLI's command line.</summary>
    public string Name { get; }

    /// <summary>What it does: half a line, lower case, no full stop.</summary>
    public string Summary { get; }

    /// <summary>What its request may carry besides <c>cmd</c> and <c>id</c>.</summary>
    public IReadOnlyList<WireField> Fields { get; }

    /// <summary>The type of <c>data</c> in its reply. Made when it is first asked for: a program knows few of them.</summary>
    public JsonTypeInfo Reply => field ??= _reply(ProtocolJson.Wire);

    /// <summary>The type of the lines that follow the reply until the client closes; null for most.</summary>
    public JsonTypeInfo? Lines => this == Subscribe || this == FollowSession ? ProtocolJson.Wire.Event : null;

    /// <summary>
    /// A following request of the same connection may start before this one is answered. True only where one queue behind it keeps the
    /// order (the board's writer, a session's log): that is what lets a pipelining client share one commit among many requests.
    /// </summary>
    public bool MayOverlap { get; private init; }

    public static WireCommand Ping { get; } = new("ping", wire => wire.Nothing, "ask whether the daemon answers");

    public static WireCommand Status { get; } = new("status", wire => wire.StatusReport, "show the state of the daemon");

    public static WireCommand Snapshot { get; } = new("snapshot", wire => wire.Snapshot, "show what every agent is doing");

    public static WireCommand GetMetrics { get; } = new("get-metrics", wire => wire.MetricsReport, "show sums for a monitoring program");

    public static WireCommand Reload { get; } = new("reload", wire => wire.SettingsChange, "read the configuration file again");

    public static WireCommand Doctor { get; } = new("doctor", wire => wire.DoctorReport, "look for what is missing or broken, and say what to type");

    public static WireCommand SetCostMode { get; } = new("set-cost-mode", wire => wire.CostState, "set the limits on sessions and tool results",
        new("mode", WireField.Required, "fast, smart or max", "the cost mode") { Values = ["fast", "smart", "max"] },
        new("persist", "false", "boolean", "also after a restart"));

    public static WireCommand Cost { get; } = new("cost", wire => wire.CostSummary, "show what agents used and what it cost",
        new("by", "task", "task, session, provider, profile, day or day-profile", "a line for each of these; task if not given") { Values = ["task", "session", "provider", "profile", "day", "day-profile"] },
        new("limit", "50", "1 to 1,000", "at most so many lines"));

    public static WireCommand Budget { get; } = new("budget", wire => wire.BudgetState, "show the budgets and what was spent today, in UTC",
        new WireField("action", "none", "lift", "lift: agents start again for the rest of the day") { Values = ["lift"] });

    public static WireCommand CreateTask { get; } = new("create-task", wire => wire.BoardTask, "put a task on the board", NewTask) { MayOverlap = true };

    public static WireCommand IntakeTask { get; } = new("intake-task", wire => wire.IntakeReceipt, "hand in a task for the scheduler's next tick", NewTask) { MayOverlap = true };

    public static WireCommand GetTask { get; } = new("get-task", wire => wire.BoardTask, "show one task",
        new WireField("task_id", WireField.Required, "name", "the task"));

    public static WireCommand ListTasks { get; } = new("list-tasks", wire => wire.TaskList, "list tasks",
        new("status", "all", "a state, or held", "only these"),
        new("limit", "100", "1 to 1,000", "at most so many in one answer"),
        new("after", "from the start", "a task's id", "go on where an answer ended"),
        new("order", "oldest", "oldest or newest", "which come first") { Values = ["oldest", "newest"] },
        new("agent", "all", "name", "only those for this profile"),
        new("workspace", "all", "name", "only those of this workspace"),
        new("group", "all", "name", "only those of this group"),
        new("tag", "all", "name", "only those with this tag"),
        new("schedule", "all", "name", "only those that this schedule made"));

    public static WireCommand ListRuns { get; } = new("list-runs", wire => wire.RunList, "list attempts at tasks, the newest first",
        new("task_id", "all", "name", "only those at this task"),
        new("limit", "100", "1 to 1,000", "at most so many in one answer"),
        new("before", "the newest", "a run's id", "go on where an answer ended"));

    public static WireCommand ClaimTask { get; } = new("claim-task", wire => wire.BoardTask, "take a queued task for an agent",
        new("task_id", WireField.Required, "name", "the task"),
        new("agent_id", WireField.Required, "name", "who takes it"))
    { MayOverlap = true };

    public static WireCommand TransitionTask { get; } = new("transition-task", wire => wire.BoardTask, "move a task along its life cycle",
        new("task_id", WireField.Required, "name", "the task"),
        new("status", WireField.Required, "started, done, failed, queued or cancelled", "where to"),
        new("agent_id", "anybody", "name", "who asks: refused unless it holds the task"),
        new("error", "none", "{\"code\":…,\"message\":…}, or a string", "with failed: what went wrong"))
    { MayOverlap = true };

    public static WireCommand CancelTask { get; } = new("cancel-task", wire => wire.BoardTask, "give a task up; a running agent is stopped",
        new WireField("task_id", WireField.Required, "name", "the task"));

    public static WireCommand HoldTask { get; } = new("hold-task", wire => wire.BoardTask, "keep a queued task from starting",
        new WireField("task_id", WireField.Required, "name", "the task"));

    public static WireCommand ReleaseTask { get; } = new("release-task", wire => wire.BoardTask, "let a held task start",
        new WireField("task_id", WireField.Required, "name", "the task"));

    public static WireCommand RetryTask { get; } = new("retry-task", wire => wire.BoardTask, "queue a task that is over once more",
        new("task_id", WireField.Required, "name", "the task"),
        new("feedback", "none", "text", "what its agent is told besides"));

    public static WireCommand EditTask { get; } = new("edit-task", wire => wire.BoardTask, "change a queued task",
        [new("task_id", WireField.Required, "name", "the task"), .. NewTask.Select(field => new WireField(field.Name, "unchanged", field.Form, field.Help))]);

    public static WireCommand DeleteTask { get; } = new("delete-task", wire => wire.BoardTask, "take a task that is over from the board",
        new WireField("task_id", WireField.Required, "name", "the task"));

    public static WireCommand ScheduleTask { get; } = new("schedule-task", wire => wire.ScheduleAnswer, "make a task at certain times, or replace such a schedule",
        [
            new("name", WireField.Required, "name", "the schedule"),
            new("cron", "none", "text of 256 code units", "when: five fields, six with seconds first, or a macro such as @daily"),
            new("every_ms", "none", "100 to 31,622,400,000", "when: again after so long"),
            new("at", "none", "text of 64 code units", "when: once, at a time with its offset or one of the zone's clocks"),
            new("zone", "the daemon's", "name of 64 code units", "the zone whose clocks are meant, by its IANA name"),
            new("overlap", "skip", "skip, queue or replace", "what to do while an earlier task of it is not over") { Values = ["skip", "queue", "replace"] },
            new("missed", "once", "none, once or all", "which times to make up for that nobody was there to meet") { Values = ["none", "once", "all"] },
            new("missed_max", "10", "1 to 1,000", "with all: so many of them, the latest"),
            new("jitter_ms", "0", "0 to 3,600,000", "start each task up to so much later, spread by name and time"),
            new("next", "none", "1 to 100", "store nothing, and show so many firings"),
            new("task", WireField.Required, "object", "the task that each firing makes"),
            .. NewTask.Select(field => new WireField($"task.{field.Name}", field.Default, field.Form, field.Name == "key" ? "refused: each firing makes a task of its own" : field.Help)),
        ]);

    public static WireCommand ListSchedules { get; } = new("list-schedules", wire => wire.ScheduleList, "list schedules");

    public static WireCommand DeleteSchedule { get; } = new("delete-schedule", wire => wire.ScheduleAnswer, "forget a schedule; its tasks stay",
        new WireField("name", WireField.Required, "name", "the schedule"));

    public static WireCommand PauseSchedule { get; } = new("pause-schedule", wire => wire.ScheduleAnswer, "let a schedule make no tasks",
        new WireField("name", WireField.Required, "name", "the schedule"));

    public static WireCommand ResumeSchedule { get; } = new("resume-schedule", wire => wire.ScheduleAnswer, "let a paused schedule make tasks again",
        new WireField("name", WireField.Required, "name", "the schedule"));

    public static WireCommand GetChange { get; } = new("get-change", wire => wire.ChangeAnswer, "show what a task's runs changed in its workspace",
        new("task_id", WireField.Required, "name", "the task"),
        new("patch", "false", "boolean", "with the patch, at most 1 MiB of it"));

    public static WireCommand LandTask { get; } = new("land-task", wire => wire.ChangeAnswer, "merge a task's change into its base",
        new("task_id", WireField.Required, "name", "the task"),
        new("force", "false", "boolean", "also of a task that is not done"));

    public static WireCommand DiscardTask { get; } = new("discard-task", wire => wire.ChangeAnswer, "give a task's change up; it is parked, not lost",
        new("task_id", WireField.Required, "name", "the task"),
        new("force", "false", "boolean", "park what else is in its tree, too"));

    public static WireCommand Inbox { get; } = new("inbox", wire => wire.InboxReport, "show everything that waits for a person");

    public static WireCommand ListNotices { get; } = new("list-notices", wire => wire.NoticeList, "list what was told, and what could not be told",
        new("limit", "100", "1 to 1,000", "at most so many"),
        new("sink", "all", "name", "only what this sink is still to be told"));

    public static WireCommand TestSink { get; } = new("test-sink", wire => wire.SinkReport, "tell a sink something, to see whether it hears",
        new WireField("sink", WireField.Required, "name", "a sink of the configuration"));

    public static WireCommand RetryNotices { get; } = new("retry-notices", wire => wire.SinkReport, "try again what could not be told",
        new WireField("sink", "all", "name", "only of this sink"));

    public static WireCommand PauseQueue { get; } = new("pause-queue", wire => wire.QueueAnswer, "start no queued tasks, all or of one provider or agent",
        new("provider", "any", "name", "only tasks of this provider"),
        new("agent", "any", "name", "only tasks for this agent of the scheduler"),
        new("workspace", "any", "name", "only tasks of this workspace"),
        new("reason", "none", "name", "why, for whoever looks at the queue"));

    public static WireCommand ResumeQueue { get; } = new("resume-queue", wire => wire.QueueAnswer, "start queued tasks again, and ask a held provider at once",
        new("provider", "none", "name", "this provider, its routes and its key"),
        new("agent", "none", "name", "this agent of the scheduler"),
        new("workspace", "none", "name", "this workspace"));

    public static WireCommand Drain { get; } = new("drain", wire => wire.QueueAnswer, "pause the queue, and wait until nothing runs any more",
        new WireField("timeout_ms", "none", "0 to 86,400,000", "give up waiting after so long; the pause stays"));

    public static WireCommand SpawnAgent { get; } = new("spawn-agent", wire => wire.Agent, "start an agent",
        new("binary", WireField.Required, "path, absolute, or a bare name on the daemon's search path", "its program: a path, or a name on the daemon's PATH"),
        new("runtime", "by base name, else pi", "a kind's name", "how to read its output; colibri agents shows the kinds"),
        new("args", "the runtime's own", "up to 1,000 texts", "its own arguments, as they are"),
        new("provider", "none", "name", "the model's provider"),
        new("model", "none", "name", "the model"),
        new("task_id", "none", "name", "claim this task and run it to its verdict"),
        new("session_id", "the task's, or a new one", "session id", "log to this session"),
        new("cwd", "the daemon's", "absolute path", "where it runs"),
        new("env", "{}", "object of texts", "a variable in its environment"),
        new("rpc", "by the arguments, else by the runtime", "boolean", "keep its standard input open and prompt it there"),
        new("transport", "the runtime's own", string.Join(", ", Runtimes.Transports), "how to tell it things") { Values = Runtimes.Transports },
        new("prompt", "the task's title and description", "text", "what to tell it"),
        new("access", "the runtime's own settings", "read, edit, full", "what it may do, by the runtime's own flags") { Values = ["read", "edit", "full"] },
        new("jail", "none", "object", "how to confine it"),
        new("jail.path", "none", "path", "the directory that becomes its /"),
        new("jail.name", "none", "name", "a jail to enter (FreeBSD)"),
        new("jail.root_path", "none", "path", "check that the jail's root is this"),
        new("jail.ip4", "inherit", "name", "inherit, disable for no network, or an address (FreeBSD)"),
        new("jail.user", "root", "name", "who it runs as inside"));

    public static WireCommand SpawnLocal { get; } = new("spawn-local", wire => wire.Agent, "start a program of your own as an agent",
        new("path", WireField.Required, "path, absolute, or a bare name on the daemon's search path", "the program"),
        new("args", "[]", "up to 1,000 texts", "its own arguments, as they are"),
        new("session_id", "a new one", "session id", "log to this session"),
        new("cwd", "the daemon's", "absolute path", "where it runs"),
        new("env", "{}", "object of texts", "a variable in its environment"));

    public static WireCommand StopAgent { get; } = new("stop-agent", wire => wire.Agent, "stop an agent with everything it started",
        new("agent_id", WireField.Required, "name", "the agent"),
        new("grace_ms", "5,000", "0 to 600,000", "time to end by itself before it is killed"));

    public static WireCommand PromptAgent { get; } = new("prompt", wire => wire.Agent, "send a prompt to a long-lived agent",
        new("agent_id", WireField.Required, "name", "the agent"),
        new("text", WireField.Required, "text", "what to tell it"));

    public static WireCommand AnswerAgent { get; } = new("answer", wire => wire.Agent, "answer the question of a blocked agent",
        new("agent_id", WireField.Required, "name", "the agent"),
        new("request", WireField.Required, "name", "the question, as snapshot shows it"),
        new("value", "one of these three", "text", "to a select, an input, an editor or a permission"),
        new("confirmed", "one of these three", "boolean", "to a confirm or a permission"),
        new("cancelled", "one of these three", "true", "no answer: the agent goes on without"));

    public static WireCommand ListAgents { get; } = new("list-agents", wire => wire.AgentList, "list agents");

    public static WireCommand ListKinds { get; } = new("list-kinds", wire => wire.KindList, "show the kinds of agents, where installed, what holds them",
        new WireField("runtime", "all", "a kind's name", "only this kind"));

    public static WireCommand RegisterAgent { get; } = new("register-agent", wire => wire.Agent, "make an agent known that runs elsewhere",
        new("name", WireField.Required, "name", "its name"),
        new("capabilities", "[]", "up to 64 names", "what it can do"),
        new("host", "the daemon's", "name", "where it runs"));

    public static WireCommand Heartbeat { get; } = new("heartbeat", wire => wire.Agent, "report that a registered agent is still there",
        new WireField("agent_id", WireField.Required, "name", "the agent"));

    public static WireCommand ListSessions { get; } = new("list-sessions", wire => wire.SessionList, "list sessions",
        new WireField("limit", "1,000", "1 to 1,000", "at most so many"));

    public static WireCommand GetSession { get; } = new("get-session", wire => wire.SessionEntries, "show the live generation of a session",
        new("session_id", WireField.Required, "session id", "the session"),
        new("all", "false", "boolean", "every generation, not just the live one"),
        new("limit", "all", "1 to 1,000", "only the latest so many entries"));

    public static WireCommand FollowSession { get; } = new("follow-session", wire => wire.FollowedSession, "show a session's entries, and each new one as it comes",
        new("session_id", "the task's", "session id", "the session"),
        new("task_id", "none", "name", "the task whose session it is"),
        new("from", "the live generation", "1 or more", "the number of the first entry"));

    public static WireCommand AppendSession { get; } = new("append-session", wire => wire.AppendReceipt, "add an entry to a session",
        new("session_id", WireField.Required, "session id", "the session"),
        new("entry", WireField.Required, "object", "what to add"),
        new("entry.kind", WireField.Required, "user, assistant, tool_call, tool_result, question, answer, usage, note", "what the entry is") { Values = ["user", "assistant", "tool_call", "tool_result", "question", "answer", "usage", "note"] },
        new("entry.text", "required unless there is usage", "without NUL", "its words"),
        new("entry.tool", "none", "name", "with tool_call and tool_result: the tool"),
        new("entry.is_error", "none", "boolean", "with tool_result: the tool failed"),
        new("entry.usage", "none", "a usage object", "what the agent used"))
    { MayOverlap = true };

    public static WireCommand CompactSession { get; } = new("compact-session", wire => wire.Compaction, "summarise a session's oldest turns",
        new WireField("session_id", WireField.Required, "session id", "the session"))
    { MayOverlap = true };

    public static WireCommand GetPrompt { get; } = new("get-prompt", wire => wire.AssembledPrompt, "show the prompt that the session would give now",
        new("session_id", WireField.Required, "session id", "the session"),
        new("scratch", "none", "text", "words for its end that are not kept"));

    public static WireCommand RegisterSkill { get; } = new("register-skill", wire => wire.Skill, "add a skill, or replace one",
        new("name", WireField.Required, "name", "its name"),
        new("description", "\"\"", "text", "what it does"),
        new("category", "\"\"", "name", "what it belongs to"),
        new("path", "none", "absolute path", "where an agent finds it, as the agent sees it"),
        new("agents", "all", "up to 64 names", "the profiles that have it"));

    public static WireCommand ListSkills { get; } = new("list-skills", wire => wire.SkillList, "list skills");

    public static WireCommand DeleteSkill { get; } = new("delete-skill", wire => wire.Skill, "forget a skill",
        new WireField("name", WireField.Required, "name", "the skill"));

    public static WireCommand RegisterTenant { get; } = new("register-tenant", wire => wire.Tenant, "add a tenant",
        new("tenant_id", WireField.Required, "name", "the tenant"),
        new("jail_root_path", WireField.Required, "absolute path", "the directory that is the root of its tasks"));

    public static WireCommand ListTenants { get; } = new("list-tenants", wire => wire.TenantList, "list tenants");

    public static WireCommand DeleteTenant { get; } = new("delete-tenant", wire => wire.Tenant, "forget a tenant",
        new WireField("tenant_id", WireField.Required, "name", "the tenant"));

    public static WireCommand Prune { get; } = new("prune", wire => wire.PruneReport, "delete what is older than the configuration keeps",
        new("older_than", "the ages of the configuration", "a duration, 0s to 36500d", "the age in place of those of the configuration"),
        new("dry_run", "false", "boolean", "delete nothing, and say what would be"));

    /// <summary>The one without a handler: the connection itself answers it, since the connection is what changes.</summary>
    public static WireCommand Subscribe { get; } = new("subscribe", wire => wire.Subscription, "follow what happens",
        new WireField("topics", "all", "tasks, panes, cost, notices", "only this") { Values = ["tasks", "panes", "cost", "notices"] });

    /// <summary>Every command.</summary>
    public static IReadOnlyList<WireCommand> All { get; } =
    [
        Ping, Status, Snapshot, GetMetrics, Reload, Doctor, SetCostMode, Cost, Budget, CreateTask, IntakeTask, GetTask, ListTasks, ListRuns, ClaimTask, TransitionTask, CancelTask, HoldTask, ReleaseTask,
        RetryTask, EditTask, DeleteTask, ScheduleTask, ListSchedules, DeleteSchedule, PauseSchedule, ResumeSchedule, GetChange, LandTask, DiscardTask, Inbox, ListNotices, TestSink, RetryNotices, PauseQueue, ResumeQueue, Drain, SpawnAgent, SpawnLocal, StopAgent, PromptAgent, AnswerAgent, ListAgents, ListKinds, RegisterAgent, Heartbeat, ListSessions, GetSession,
        FollowSession, AppendSession, CompactSession, GetPrompt, RegisterSkill, ListSkills, DeleteSkill, RegisterTenant, ListTenants, DeleteTenant, Subscribe,
        Prune,
    ];

    /// <summary>One of its fields.</summary>
    /// <exception cref="ArgumentException">It has none of that name.</exception>
    public WireField Field(string name)
    {
        foreach (var field in Fields)
        {
            if (field.Name == name)
                return field;
        }
        throw new ArgumentException($"{Name} has no field {name}");
    }
}

/// <summary>One field of a request.</summary>
public sealed class WireField(string name, string byDefault, string form, string help)
{
    /// <summary>The <see cref="Default"/> of a field that must be there.</summary>
    public const string Required = "required";

    /// <summary>As the wire has it; <c>jail.path</c> is the field <c>path</c> of the object <c>jail</c>.</summary>
    public string Name => name;

    /// <summary>What holds where it is left out.</summary>
    public string Default => byDefault;

    public bool IsRequired => byDefault == Required;

    /// <summary>What it may hold: a type of <c>docs/protocol.md</c>, its bounds, or the words that it is one of.</summary>
    public string Form => form;

    /// <summary>The only words that it, or each of its entries, may be; empty where there is no such list.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>What it is for: half a line, lower case, no full stop.</summary>
    public string Help => help;
}

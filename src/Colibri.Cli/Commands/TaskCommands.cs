using Colibri.Cli.Following;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>The board.</summary>
internal sealed class TaskCommands(BoundCommand bound)
{
    private static readonly PositionalSpec TaskId = PositionalSpec.Of(WireCommand.GetTask.Field("task_id"));

    /// <summary>What is said of a task besides its title.</summary>
    public static readonly OptionSpec[] TaskOptions =
    [
        OptionSpec.Text(WireCommand.CreateTask.Field("description"), "TEXT").OrStdin(),
        OptionSpec.Many(WireCommand.CreateTask.Field("capabilities"), "--capability", "NAME"),
        OptionSpec.Number(WireCommand.CreateTask.Field("priority")),
        OptionSpec.Number(WireCommand.CreateTask.Field("max_attempts")),
        OptionSpec.Text(WireCommand.CreateTask.Field("key"), "TEXT"),
        OptionSpec.Text(WireCommand.CreateTask.Field("session_id"), "ID"),
        OptionSpec.Flag(WireCommand.CreateTask.Field("hold")),
        OptionSpec.Text(WireCommand.CreateTask.Field("agent"), "NAME"),
        OptionSpec.Text(WireCommand.CreateTask.Field("model"), "NAME"),
        OptionSpec.Text(WireCommand.CreateTask.Field("workspace"), "NAME") with { Short = "-w" },
        OptionSpec.Text(WireCommand.CreateTask.Field("cwd"), "DIR") with { IsPath = true },
        OptionSpec.Many(WireCommand.CreateTask.Field("after"), "--after", "TASK"),
        OptionSpec.OneOf(WireCommand.CreateTask.Field("on_failed"), "WHAT", Choices.OnFailed),
        OptionSpec.Text(WireCommand.CreateTask.Field("not_before"), "TIME"),
        OptionSpec.Text(WireCommand.CreateTask.Field("group"), "NAME"),
        OptionSpec.Many(WireCommand.CreateTask.Field("tags"), "--tag", "NAME"),
        OptionSpec.Text(WireCommand.CreateTask.Field("check"), "COMMAND"),
        OptionSpec.Number(WireCommand.CreateTask.Field("run_timeout_ms")),
        OptionSpec.Number(WireCommand.CreateTask.Field("budget_microcents")),
        OptionSpec.Text(WireCommand.CreateTask.Field("tenant"), "NAME"),
    ];

    private static readonly OptionSpec Title = OptionSpec.Text(WireCommand.CreateTask.Field("title"), "TEXT");

    private static readonly OptionSpec[] NewTask = [Title, .. TaskOptions];

    public static readonly CommandSpec[] All =
    [
        new(WireCommand.CreateTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Options = NewTask,
            Example = "create-task --title 'Fix the login test' --description - < notes.txt",
        },
        new(WireCommand.IntakeTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Options = NewTask,
            Example = "intake-task --title 'Nightly report' --key report-2026-11-22",
        },
        new(WireCommand.GetTask, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Example = "get-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
        },
        new(WireCommand.ListTasks, CommandGroup.Tasks)
        {
            Options =
            [
                OptionSpec.OneOf(WireCommand.ListTasks.Field("status"), "STATUS", Choices.TaskFilters),
                OptionSpec.Number(WireCommand.ListTasks.Field("limit")),
                OptionSpec.Text(WireCommand.ListTasks.Field("after"), "CURSOR"),
                OptionSpec.Flag("--all", "every page, not just the first"),
                OptionSpec.OneOf(WireCommand.ListTasks.Field("order"), "ORDER", Choices.Orders),
                OptionSpec.Text(WireCommand.ListTasks.Field("agent"), "NAME"),
                OptionSpec.Text(WireCommand.ListTasks.Field("workspace"), "NAME") with { Short = "-w" },
                OptionSpec.Text(WireCommand.ListTasks.Field("group"), "NAME"),
                OptionSpec.Text(WireCommand.ListTasks.Field("tag"), "NAME"),
                OptionSpec.Text(WireCommand.ListTasks.Field("schedule"), "NAME"),
            ],
            Example = "list-tasks --status failed --limit 20",
            Note = "The newest come first unless --order oldest is given.",
        },
        new(WireCommand.ClaimTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Positional = TaskId,
            Options = [OptionSpec.Text(WireCommand.ClaimTask.Field("agent_id"), "AGENT_ID")],
            Example = "claim-task 019a8b1c-… --agent-id 019a8b20-…",
        },
        new(WireCommand.TransitionTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Positional = TaskId,
            Options =
            [
                OptionSpec.OneOf(WireCommand.TransitionTask.Field("status"), "STATUS", Choices.TaskStates),
                OptionSpec.Text(WireCommand.TransitionTask.Field("agent_id"), "AGENT_ID"),
                OptionSpec.Text("--error-code", "CODE", "with failed: a word scripts match on"),
                OptionSpec.Text("--error-message", "TEXT", "with failed: one line for a person"),
            ],
            Example = "transition-task 019a8b1c-… --status done",
        },
        new(WireCommand.CancelTask, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Example = "cancel-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
        },
        new(WireCommand.HoldTask, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Example = "hold-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
        },
        new(WireCommand.ReleaseTask, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Example = "release-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
        },
        new(WireCommand.RetryTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Positional = TaskId,
            Options = [OptionSpec.Text(WireCommand.RetryTask.Field("feedback"), "TEXT").OrStdin()],
            Example = "retry-task 12 --feedback 'Mind the second test as well'",
        },
        new(WireCommand.EditTask, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Options = [Title with { Required = false }, .. TaskOptions],
            Example = "edit-task 12 --priority 5 --agent claude",
            Note = "Only a queued task can be edited. An empty value takes a field away: --after '' lets it start before the others are done.",
        },
        new(WireCommand.DeleteTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Positional = TaskId,
            Example = "delete-task 12",
            Note = "Its runs go with it. What it cost stays in the ledger, and its session on the disk.",
        },
        new("wait", CommandGroup.Tasks, "wait until tasks are over")
        {
            Positional = TaskId with { Many = true },
            Options =
            [
                OptionSpec.Flag("--any", "until one of them is over, not all"),
                OptionSpec.Seconds("--timeout", "give up after so long (never)"),
                OptionSpec.Seconds("--reconnect", "try for so long when the daemon goes away (60)"),
            ],
            Example = "wait 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 --timeout 600",
            Note = "Ends with 0 when all are done, with 1 when one failed, with 4 when one was cancelled and none failed, with 5 when they are not over in time, "
                + "with 3 when the daemon is not there or stays away. With --any it ends as the first one did.",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new TaskCommands(bound);
        app.Add("create-task", commands.Create);
        app.Add("intake-task", commands.Intake);
        app.Add("get-task", commands.Get);
        app.Add("list-tasks", commands.List);
        app.Add("claim-task", commands.Claim);
        app.Add("transition-task", commands.Transition);
        app.Add("cancel-task", commands.Cancel);
        app.Add("hold-task", commands.Hold);
        app.Add("release-task", commands.Release);
        app.Add("retry-task", commands.Retry);
        app.Add("edit-task", commands.Edit);
        app.Add("delete-task", commands.Delete);
        app.Add("wait", commands.Wait);
    }

    public void Create(string title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null, bool hold = false, string? agent = null, string? model = null,
        string? workspace = null, string? cwd = null, [Many] string[]? after = null, string? notBefore = null, string? group = null,
        [Many] string[]? tag = null, string? check = null, long? runTimeoutMs = null, long? budgetMicrocents = null, string? tenant = null, [OnFailed] string? onFailed = null) => bound.WillAsk(
        () => new SaidTask(title, description, capability, priority, maxAttempts, key, sessionId, hold, agent, model, workspace, cwd, after, notBefore, group, tag,
            check, runTimeoutMs, budgetMicrocents, tenant, onFailed).Request(WireCommand.CreateTask.Name, bound),
        (screen, reply) => TaskView.Created(screen, reply.Read(ProtocolJson.Wire.BoardTask)));

    public void Intake(string title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null, bool hold = false, string? agent = null, string? model = null,
        string? workspace = null, string? cwd = null, [Many] string[]? after = null, string? notBefore = null, string? group = null,
        [Many] string[]? tag = null, string? check = null, long? runTimeoutMs = null, long? budgetMicrocents = null, string? tenant = null, [OnFailed] string? onFailed = null) => bound.WillAsk(
        () => new SaidTask(title, description, capability, priority, maxAttempts, key, sessionId, hold, agent, model, workspace, cwd, after, notBefore, group, tag,
            check, runTimeoutMs, budgetMicrocents, tenant, onFailed).Request(WireCommand.IntakeTask.Name, bound),
        (screen, reply) =>
        {
            var receipt = reply.Read(ProtocolJson.Wire.IntakeReceipt);
            screen.Line($"{(receipt.Existing is true ? "taken in before" : "taken in")} as {Words.Plain(receipt.IntakeId)}");
            screen.Line("it is on the board after the next tick: colibri list-tasks --status queued");
        });

    public void Edit(string taskId, string? title = null, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null, bool hold = false, string? agent = null, string? model = null,
        string? workspace = null, string? cwd = null, [Many] string[]? after = null, string? notBefore = null, string? group = null,
        [Many] string[]? tag = null, string? check = null, long? runTimeoutMs = null, long? budgetMicrocents = null, string? tenant = null, [OnFailed] string? onFailed = null) => bound.WillAsk(
        () => new SaidTask(title, description, capability, priority, maxAttempts, key, sessionId, hold, agent, model, workspace, cwd, after, notBefore, group, tag,
            check, runTimeoutMs, budgetMicrocents, tenant, onFailed).Request(WireCommand.EditTask.Name, bound) with
        { TaskId = taskId },
        Standing);

    public void Retry(string taskId, string? feedback = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.RetryTask.Name, TaskId = taskId, Feedback = bound.TextOrStdin("--feedback", feedback) }, Standing);

    public void Delete(string taskId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.DeleteTask.Name, TaskId = taskId },
        (screen, reply) => screen.Line($"deleted task {Words.Plain(TaskView.NameOf(reply.Read(ProtocolJson.Wire.BoardTask)))}"));

    public void Get(string taskId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = taskId },
        (screen, reply) => TaskView.Block(screen, reply.Read(ProtocolJson.Wire.BoardTask)));

    public void List([TaskFilter] string? status = null, int? limit = null, string? after = null, bool all = false, [Order] string? order = null,
        string? agent = null, string? workspace = null, string? group = null, string? tag = null, string? schedule = null) => bound.Will(
        session => TaskPages.RunAsync(
            session,
            new CommandRequest
            {
                Cmd = WireCommand.ListTasks.Name,
                Status = status,
                Limit = limit,
                After = after is null ? null : [after],
                Order = order ?? "newest",
                Agent = agent,
                Workspace = workspace,
                Group = group,
                Tag = tag,
                Schedule = schedule,
            },
            all));

    public void Claim(string taskId, string agentId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ClaimTask.Name, TaskId = taskId, AgentId = agentId }, Standing);

    public void Transition(string taskId, [TaskState] string status, string? agentId = null, string? errorCode = null,
        string? errorMessage = null) => bound.WillAsk(
        () => new CommandRequest
        {
            Cmd = WireCommand.TransitionTask.Name,
            TaskId = taskId,
            Status = status,
            AgentId = agentId,
            Error = errorCode is null && errorMessage is null ? null : new TaskError(errorCode ?? "failed", errorMessage ?? ""),
        },
        Standing);

    public void Cancel(string taskId) => bound.WillAsk(() => new CommandRequest { Cmd = WireCommand.CancelTask.Name, TaskId = taskId }, Standing);

    public void Hold(string taskId) => bound.WillAsk(() => new CommandRequest { Cmd = WireCommand.HoldTask.Name, TaskId = taskId }, Standing);

    public void Release(string taskId) => bound.WillAsk(() => new CommandRequest { Cmd = WireCommand.ReleaseTask.Name, TaskId = taskId }, Standing);

    public void Wait([Many] string[] taskId, bool any = false, [Seconds] TimeSpan? timeout = null, [Seconds] TimeSpan? reconnect = null) =>
        bound.Will(session => TaskWait.RunAsync(session, taskId, any, timeout, reconnect ?? Absence.DefaultPatience));

    private static void Standing(Screen screen, Reply reply) =>
        screen.Line(Words.Plain(TaskView.Standing(reply.Read(ProtocolJson.Wire.BoardTask))));
}

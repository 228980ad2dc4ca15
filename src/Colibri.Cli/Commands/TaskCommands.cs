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

    private static readonly OptionSpec[] NewTask =
    [
        OptionSpec.Text(WireCommand.CreateTask.Field("title"), "TEXT"),
        OptionSpec.Text(WireCommand.CreateTask.Field("description"), "TEXT").OrStdin(),
        OptionSpec.Many(WireCommand.CreateTask.Field("capabilities"), "--capability", "NAME"),
        OptionSpec.Number(WireCommand.CreateTask.Field("priority")),
        OptionSpec.Number(WireCommand.CreateTask.Field("max_attempts")),
        OptionSpec.Text(WireCommand.CreateTask.Field("key"), "TEXT"),
        OptionSpec.Text(WireCommand.CreateTask.Field("session_id"), "ID"),
        OptionSpec.Flag(WireCommand.CreateTask.Field("hold")),
    ];

    public static readonly CommandSpec[] All =
    [
        new(WireCommand.CreateTask, CommandGroup.Tasks)
        {
            Options = NewTask,
            Example = "create-task --title 'Fix the login test' --description - < notes.txt",
        },
        new(WireCommand.IntakeTask, CommandGroup.Tasks)
        {
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
                OptionSpec.OneOf(WireCommand.ListTasks.Field("status"), "STATUS", Choices.TaskStates),
                OptionSpec.Number(WireCommand.ListTasks.Field("limit")),
                OptionSpec.Text(WireCommand.ListTasks.Field("after"), "CURSOR"),
                OptionSpec.Flag("--all", "every page, not just the first"),
            ],
            Example = "list-tasks --status failed --limit 20",
        },
        new(WireCommand.ClaimTask, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Options = [OptionSpec.Text(WireCommand.ClaimTask.Field("agent_id"), "AGENT_ID")],
            Example = "claim-task 019a8b1c-… --agent-id 019a8b20-…",
        },
        new(WireCommand.TransitionTask, CommandGroup.Tasks)
        {
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
        new("wait", CommandGroup.Tasks, "wait until a task is over")
        {
            Positional = TaskId,
            Options =
            [
                OptionSpec.Seconds("--timeout", "give up after so long (never)"),
                OptionSpec.Seconds("--reconnect", "try for so long when the daemon goes away (60)"),
            ],
            Example = "wait 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 --timeout 600",
            Note = "Ends with 0 when the task is done, with 1 when it failed, was cancelled, or is not over in time, with 3 when the daemon is not there or stays away.",
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
        app.Add("wait", commands.Wait);
    }

    public void Create(string title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null, bool hold = false) => bound.WillAsk(
        () => NewTaskRequest(WireCommand.CreateTask.Name, title, description, capability, priority, maxAttempts, key, sessionId, hold),
        (screen, reply) => TaskView.Created(screen, reply.Read(ProtocolJson.Wire.BoardTask)));

    public void Intake(string title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null, bool hold = false) => bound.WillAsk(
        () => NewTaskRequest(WireCommand.IntakeTask.Name, title, description, capability, priority, maxAttempts, key, sessionId, hold),
        (screen, reply) =>
        {
            screen.Line($"taken in as {Words.Plain(reply.Read(ProtocolJson.Wire.IntakeReceipt).IntakeId)}");
            screen.Line("it is on the board after the next tick: colibri list-tasks --status queued");
        });

    public void Get(string taskId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = taskId },
        (screen, reply) => TaskView.Block(screen, reply.Read(ProtocolJson.Wire.BoardTask)));

    public void List([TaskState] string? status = null, int? limit = null, string? after = null, bool all = false) => bound.Will(
        session => TaskPages.RunAsync(
            session, new CommandRequest { Cmd = WireCommand.ListTasks.Name, Status = status, Limit = limit, After = after is null ? null : [after] }, all));

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

    public void Wait(string taskId, [Seconds] TimeSpan? timeout = null, [Seconds] TimeSpan? reconnect = null) =>
        bound.Will(session => TaskWait.RunAsync(session, taskId, timeout, reconnect ?? Absence.DefaultPatience));

    private CommandRequest NewTaskRequest(string command, string title, string? description, string[]? capabilities, int? priority,
        int? maxAttempts, string? key, string? sessionId, bool hold)
    {
        return new CommandRequest
        {
            Cmd = command,
            Title = title,
            Description = bound.TextOrStdin("--description", description),
            Capabilities = capabilities,
            Priority = priority,
            MaxAttempts = maxAttempts,
            Key = key,
            SessionId = sessionId,
            Hold = hold ? true : null,
        };
    }

    private static void Standing(Screen screen, Reply reply) =>
        screen.Line(Words.Plain(TaskView.Standing(reply.Read(ProtocolJson.Wire.BoardTask))));
}

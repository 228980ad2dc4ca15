using Colibri.Cli.Following;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>The board.</summary>
internal sealed class TaskCommands(BoundCommand bound)
{
    private static readonly PositionalSpec TaskId = new("TASK_ID", "--task-id", "the task");

    private static readonly OptionSpec[] NewTask =
    [
        OptionSpec.Needed("--title", "TEXT", "what to do, in a line"),
        OptionSpec.Text("--description", "TEXT", "all the agent needs to know; - reads it from standard input"),
        OptionSpec.Many("--capability", "NAME", "what an agent must be able to do to get it; may be repeated"),
        OptionSpec.Number("--priority", "higher starts first (0)"),
        OptionSpec.Number("--max-attempts", "attempts before it counts as failed (3)"),
        OptionSpec.Text("--key", "TEXT", "a second request with the same key makes no second task"),
        OptionSpec.Text("--session-id", "ID", "log to this session, and go on in it"),
    ];

    public static readonly CommandSpec[] All =
    [
        new("create-task", CommandGroup.Tasks, "put a task on the board")
        {
            Options = NewTask,
            Example = "create-task --title 'Fix the login test' --description - < notes.txt",
        },
        new("intake-task", CommandGroup.Tasks, "hand in a task for the scheduler's next tick")
        {
            Options = NewTask,
            Example = "intake-task --title 'Nightly report' --key report-2026-11-22",
        },
        new("get-task", CommandGroup.Tasks, "show one task")
        {
            Positional = TaskId,
            Example = "get-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
        },
        new("list-tasks", CommandGroup.Tasks, "list tasks")
        {
            Options =
            [
                OptionSpec.OneOf("--status", "STATUS", Choices.TaskStates, "only these"),
                OptionSpec.Number("--limit", "at most so many in one answer"),
                OptionSpec.Text("--after", "CURSOR", "go on where an answer ended"),
                OptionSpec.Flag("--all", "every page, not just the first"),
            ],
            Example = "list-tasks --status failed --limit 20",
        },
        new("claim-task", CommandGroup.Tasks, "take a queued task for an agent")
        {
            Options =
            [
                OptionSpec.Needed("--task-id", "TASK_ID", "the task"),
                OptionSpec.Needed("--agent-id", "AGENT_ID", "who takes it"),
            ],
            Example = "claim-task --task-id 019a8b1c-… --agent-id 019a8b20-…",
        },
        new("transition-task", CommandGroup.Tasks, "move a task along its life cycle")
        {
            Options =
            [
                OptionSpec.Needed("--task-id", "TASK_ID", "the task"),
                OptionSpec.OneOf("--status", "STATUS", Choices.TaskStates, "where to") with { Required = true },
                OptionSpec.Text("--agent-id", "AGENT_ID", "who asks: refused unless it holds the task"),
                OptionSpec.Text("--error-code", "CODE", "with failed: a word scripts match on"),
                OptionSpec.Text("--error-message", "TEXT", "with failed: one line for a person"),
            ],
            Example = "transition-task --task-id 019a8b1c-… --status done",
        },
        new("cancel-task", CommandGroup.Tasks, "give a task up; a running agent is stopped")
        {
            Positional = TaskId,
            Example = "cancel-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
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

    public void Create(string title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null) => bound.WillAsk(
        () => NewTaskRequest(CommandNames.CreateTask, title, description, capability, priority, maxAttempts, key, sessionId),
        (screen, reply) => TaskView.Created(screen, reply.Read(ProtocolJson.Wire.BoardTask)));

    public void Intake(string title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null) => bound.WillAsk(
        () => NewTaskRequest(CommandNames.IntakeTask, title, description, capability, priority, maxAttempts, key, sessionId),
        (screen, reply) =>
        {
            screen.Line($"taken in as {Words.Plain(reply.Read(ProtocolJson.Wire.IntakeReceipt).IntakeId)}");
            screen.Line("it is on the board after the next tick: colibri list-tasks --status queued");
        });

    public void Get(string taskId) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.GetTask, TaskId = taskId },
        (screen, reply) => TaskView.Block(screen, reply.Read(ProtocolJson.Wire.BoardTask)));

    public void List([TaskState] string? status = null, int? limit = null, string? after = null, bool all = false) => bound.Will(
        session => TaskPages.RunAsync(
            session, new CommandRequest { Cmd = CommandNames.ListTasks, Status = status, Limit = limit, After = after }, all));

    public void Claim(string taskId, string agentId) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.ClaimTask, TaskId = taskId, AgentId = agentId }, Standing);

    public void Transition(string taskId, [TaskState] string status, string? agentId = null, string? errorCode = null,
        string? errorMessage = null) => bound.WillAsk(
        () => new CommandRequest
        {
            Cmd = CommandNames.TransitionTask,
            TaskId = taskId,
            Status = status,
            AgentId = agentId,
            Error = errorCode is null && errorMessage is null ? null : new TaskError(errorCode ?? "failed", errorMessage ?? ""),
        },
        Standing);

    public void Cancel(string taskId) => bound.WillAsk(() => new CommandRequest { Cmd = CommandNames.CancelTask, TaskId = taskId }, Standing);

    public void Wait(string taskId, [Seconds] TimeSpan? timeout = null, [Seconds] TimeSpan? reconnect = null) =>
        bound.Will(session => TaskWait.RunAsync(session, taskId, timeout, reconnect ?? Absence.DefaultPatience));

    private CommandRequest NewTaskRequest(string command, string title, string? description, string[]? capabilities, int? priority,
        int? maxAttempts, string? key, string? sessionId)
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
        };
    }

    private static void Standing(Screen screen, Reply reply) =>
        screen.Line(Words.Plain(TaskView.Standing(reply.Read(ProtocolJson.Wire.BoardTask))));
}

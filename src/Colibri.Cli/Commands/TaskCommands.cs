using Colibri.Cli.Following;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>The board.</summary>
internal static class TaskCommands
{
    private static readonly PositionalSpec TaskId = new("TASK_ID", "--task-id", "the task");

    private static readonly OptionSpec[] NewTask =
    [
        OptionSpec.Needed("--title", "TEXT", "what to do, in a line"),
        OptionSpec.Text("--description", "TEXT", "all the agent needs to know; - reads it from standard input"),
        OptionSpec.Many("--capability", "NAME", "what an agent must be able to do to get it; may be repeated"),
        OptionSpec.Text("--priority", "NUMBER", "higher starts first (0)"),
        OptionSpec.Text("--max-attempts", "NUMBER", "attempts before it counts as failed (3)"),
        OptionSpec.Text("--key", "TEXT", "a second request with the same key makes no second task"),
        OptionSpec.Text("--session-id", "ID", "log to this session, and go on in it"),
    ];

    public static readonly CommandSpec[] All =
    [
        new("create-task", CommandGroup.Tasks, "put a task on the board")
        {
            Options = NewTask,
            Example = "create-task --title 'Fix the login test' --description - < notes.txt",
            Request = a => NewTaskRequest(CommandNames.CreateTask, a),
            Show = (screen, reply, _) => TaskView.Created(screen, reply.Read(ProtocolJson.Wire.BoardTask)),
        },
        new("intake-task", CommandGroup.Tasks, "hand in a task for the scheduler's next tick")
        {
            Options = NewTask,
            Example = "intake-task --title 'Nightly report' --key report-2026-11-22",
            Request = a => NewTaskRequest(CommandNames.IntakeTask, a),
            Show = (screen, reply, _) =>
            {
                screen.Line($"taken in as {Words.Plain(reply.Read(ProtocolJson.Wire.IntakeReceipt).IntakeId)}");
                screen.Line("it is on the board after the next tick: colibri list-tasks --status queued");
            },
        },
        new("get-task", CommandGroup.Tasks, "show one task")
        {
            Positional = TaskId,
            Example = "get-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
            Request = a => new CommandRequest { Cmd = CommandNames.GetTask, TaskId = a.Required("--task-id") },
            Show = (screen, reply, _) => TaskView.Block(screen, reply.Read(ProtocolJson.Wire.BoardTask)),
        },
        new("list-tasks", CommandGroup.Tasks, "list tasks")
        {
            Options =
            [
                OptionSpec.OneOf("--status", "STATUS", Choices.TaskStates, "only these"),
                OptionSpec.Text("--limit", "NUMBER", "at most so many in one answer"),
                OptionSpec.Text("--after", "CURSOR", "go on where an answer ended"),
                OptionSpec.Flag("--all", "every page, not just the first"),
            ],
            Example = "list-tasks --status failed --limit 20",
            Run = TaskPages.RunAsync,
        },
        new("claim-task", CommandGroup.Tasks, "take a queued task for an agent")
        {
            Options =
            [
                OptionSpec.Needed("--task-id", "TASK_ID", "the task"),
                OptionSpec.Needed("--agent-id", "AGENT_ID", "who takes it"),
            ],
            Example = "claim-task --task-id 019a8b1c-… --agent-id 019a8b20-…",
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.ClaimTask, TaskId = a.Required("--task-id"), AgentId = a.Required("--agent-id"),
            },
            Show = (screen, reply, _) => Standing(screen, reply.Read(ProtocolJson.Wire.BoardTask)),
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
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.TransitionTask, TaskId = a.Required("--task-id"), Status = a.Required("--status"),
                AgentId = a.Text("--agent-id"), Error = ErrorOf(a),
            },
            Show = (screen, reply, _) => Standing(screen, reply.Read(ProtocolJson.Wire.BoardTask)),
        },
        new("cancel-task", CommandGroup.Tasks, "give a task up; a running agent is stopped")
        {
            Positional = TaskId,
            Example = "cancel-task 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10",
            Request = a => new CommandRequest { Cmd = CommandNames.CancelTask, TaskId = a.Required("--task-id") },
            Show = (screen, reply, _) => Standing(screen, reply.Read(ProtocolJson.Wire.BoardTask)),
        },
        new("wait", CommandGroup.Tasks, "wait until a task is over")
        {
            Positional = TaskId,
            Options = [OptionSpec.Text("--timeout", "SECONDS", "give up after so long (never)")],
            Example = "wait 019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 --timeout 600",
            Note = "Ends with 0 when the task is done, with 1 when it failed, was cancelled, or is not over in time.",
            Run = TaskWait.RunAsync,
        },
    ];

    private static CommandRequest NewTaskRequest(string command, Arguments a) => new()
    {
        Cmd = command,
        Title = a.Required("--title"),
        Description = a.TextOrStdin("--description"),
        Capabilities = a.Many("--capability"),
        Priority = a.Number("--priority"),
        MaxAttempts = a.Number("--max-attempts"),
        Key = a.Text("--key"),
        SessionId = a.Text("--session-id"),
    };

    private static TaskError? ErrorOf(Arguments a) => (a.Text("--error-code"), a.Text("--error-message")) switch
    {
        (null, null) => null,
        var (code, message) => new TaskError(code ?? "failed", message ?? ""),
    };

    private static void Standing(Screen screen, BoardTask task) => screen.Line(Words.Plain(TaskView.Standing(task)));
}

using Colibri.Core.Agents;
using Colibri.Core.Board;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about tasks.</summary>
internal sealed class TaskCommands(TaskBoard board, AgentSupervisor supervisor, QueueView queue, Secrets secrets)
{
    private const int DefaultListLimit = 100;
    private const int MaxListLimit = 1_000;
    private const int MaxAttemptsLimit = 100;
    private const int MaxErrorCodeLength = 64;
    private const int MaxErrorMessageLength = 4_000;

    /// <summary>Characters of text in one page of a list: a thousand long descriptions must not become one reply.</summary>
    private const int MaxPageCharacters = 4 * 1024 * 1024;

    private const int MaxRuns = 20;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.CreateTask, CreateAsync, NeverBlocks: true),
        new(WireCommand.IntakeTask, IntakeAsync, NeverBlocks: true),
        new(WireCommand.GetTask, GetAsync),
        new(WireCommand.ListTasks, ListAsync),
        new(WireCommand.ClaimTask, ClaimAsync, NeverBlocks: true),
        new(WireCommand.TransitionTask, TransitionAsync, NeverBlocks: true),
        new(WireCommand.CancelTask, CancelAsync),
        new(WireCommand.HoldTask, HoldAsync),
        new(WireCommand.ReleaseTask, ReleaseAsync),
    ];

    private async ValueTask<Reply> CreateAsync(CommandContext context) =>
        TaskReply(await board.CreateAsync(NewTaskOf(context)).ConfigureAwait(false));

    private async ValueTask<Reply> IntakeAsync(CommandContext context) => Reply.Of(
        new IntakeReceipt(await board.IntakeAsync(NewTaskOf(context)).ConfigureAwait(false)), ProtocolJson.Wire.IntakeReceipt);

    private async ValueTask<Reply> GetAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var task = await board.GetAsync(id).ConfigureAwait(false) ?? throw NotFound(id);
        var runs = await board.RunsAsync(id).ConfigureAwait(false);
        return TaskReply(runs.Count == 0 ? task : task with { Runs = [.. runs.TakeLast(MaxRuns).Select(Run)] });
    }

    private TaskRun Run(RunRow run) => new()
    {
        Attempt = run.Attempt,
        AgentId = run.AgentId,
        Binary = run.Binary,
        CommandLine = supervisor.CommandLineOf(run),
        Provider = run.Provider,
        Model = run.Model,
        Pid = run.Pid,
        StartedAt = run.StartedAt,
        FinishedAt = run.FinishedAt,
        Verdict = run.Verdict,
        Error = run.Error,
        Exit = run.Exit,
        Usage = run.Usage,
        SessionEntriesDropped = (run.FinishedAt is null ? supervisor.SessionEntriesDroppedBy(run.AgentId) : run.SessionEntriesDropped) is > 0 and var dropped ? dropped : null,
        StderrTail = run.StderrTail,
        Denied = run.Denied,
        Result = run.Result,
    };

    private async ValueTask<Reply> ListAsync(CommandContext context)
    {
        var request = context.Request;
        TaskState? state = request.Status is null ? null : CommandContext.State(request.Status, "status");
        var limit = CommandContext.Number(request.Limit, "limit", DefaultListLimit, 1, MaxListLimit);
        try
        {
            var page = await board.ListAsync(state, limit, request.After, MaxPageCharacters).ConfigureAwait(false);
            return Reply.Of(queue.Show(page), ProtocolJson.Wire.TaskList);
        }
        catch (ArgumentException)
        {
            throw CommandContext.Bad("after", $"is '{request.After}', which is no task's id");
        }
    }

    private async ValueTask<Reply> ClaimAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var agentId = CommandContext.Name(context.Request.AgentId, "agent_id");
        return EdgeReply(await board.ClaimAsync(id, agentId).ConfigureAwait(false), id);
    }

    private async ValueTask<Reply> TransitionAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var to = CommandContext.State(context.Request.Status, "status");
        var agentId = CommandContext.OptionalName(context.Request.AgentId, "agent_id");
        if (to == TaskState.Claimed && agentId is not null)
            return EdgeReply(await board.ClaimAsync(id, agentId).ConfigureAwait(false), id);
        var result = await board.TransitionAsync(id, to, ErrorOf(context), agentId).ConfigureAwait(false);
        if (to == TaskState.Cancelled)
            StopRunOf(result, id);
        return EdgeReply(result, id);
    }

    private async ValueTask<Reply> CancelAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var result = await board.CancelAsync(id).ConfigureAwait(false);
        StopRunOf(result, id);
        return EdgeReply(result, id);
    }

    private async ValueTask<Reply> HoldAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        return EdgeReply(await board.HoldAsync(id).ConfigureAwait(false), id);
    }

    private async ValueTask<Reply> ReleaseAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        return EdgeReply(await board.ReleaseAsync(id).ConfigureAwait(false), id);
    }

    private void StopRunOf(EdgeResult result, string taskId)
    {
        if (result.Outcome == EdgeOutcome.Applied && supervisor.FindByTask(taskId) is { } agent)
            supervisor.TryStop(agent.Id, AgentSupervisor.DefaultGrace);
    }

    private TaskError? ErrorOf(CommandContext context)
    {
        if (context.Request.Error is not { } error)
            return null;
        var code = CommandContext.Name(error.Code, "error.code", MaxErrorCodeLength);
        var message = CommandContext.Text(error.Message, "error.message")!;
        return message.Length <= MaxErrorMessageLength
            ? new TaskError(secrets.Excerpt(code, MaxErrorCodeLength), secrets.Excerpt(message, MaxErrorMessageLength))
            : throw CommandContext.Bad("error.message", $"is {message.Length} characters long; the limit is {MaxErrorMessageLength}");
    }

    private NewTask NewTaskOf(CommandContext context)
    {
        var request = context.Request;
        if (request.SessionId is { } session && !Core.Sessions.SessionId.IsValid(session))
            throw CommandContext.Bad("session_id", "is no session id: 1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot");
        var title = CommandContext.Name(request.Title, "title", CommandContext.MaxTitleLength);
        var description = CommandContext.Text(request.Description, "description") ?? "";
        if (supervisor.WhyTooLong(title, description) is { } problem)
            throw CommandContext.Bad("description", $"is too long for the configured agent: {problem}");
        return new NewTask
        {
            Title = title,
            Description = description,
            Capabilities = CommandContext.Names(request.Capabilities, "capabilities"),
            Priority = request.Priority ?? 0,
            MaxAttempts = CommandContext.Number(request.MaxAttempts, "max_attempts", 3, 1, MaxAttemptsLimit),
            Key = request.Key is null ? null : CommandContext.Name(request.Key, "key"),
            SessionId = request.SessionId,
            Hold = request.Hold ?? false,
        };
    }

    private Reply EdgeReply(EdgeResult result, string id) => result.Outcome switch
    {
        EdgeOutcome.Applied => TaskReply(result.Task!),
        EdgeOutcome.NotFound => throw NotFound(id),
        _ => throw new RequestException(ErrorCodes.Conflict, result.Reason!),
    };

    private Reply TaskReply(BoardTask task) => Reply.Of(queue.Show(task), ProtocolJson.Wire.BoardTask);

    private static RequestException NotFound(string id) => new(ErrorCodes.NotFound, $"there is no task {id}; colibri list-tasks shows them");
}

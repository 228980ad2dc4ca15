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
internal sealed class TaskCommands(TaskBoard board, AgentSupervisor supervisor, QueueView queue, Secrets secrets, ConfiguredPlaces places)
{
    private const int DefaultListLimit = 100;
    private const int MaxListLimit = 1_000;
    private const int MaxAttemptsLimit = 100;
    private const int MaxErrorCodeLength = 64;
    private const int MaxErrorMessageLength = 4_000;

    /// <summary>Characters of text in one page of a list: a thousand long descriptions must not become one reply.</summary>
    private const int MaxPageCharacters = 4 * 1024 * 1024;

    private const int MaxRuns = 20;
    private const int MaxTags = 32;
    private const int MaxCheckLength = 4_096;
    private const int MaxPlaceNameLength = 64;
    private const long MaxRunTimeoutMs = 30L * 24 * 60 * 60 * 1_000;
    private const long MaxBudgetMicrocents = 9_000_000_000_000_000;

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
        new(WireCommand.RetryTask, RetryAsync),
        new(WireCommand.EditTask, EditAsync),
        new(WireCommand.DeleteTask, DeleteAsync),
    ];

    private async ValueTask<Reply> CreateAsync(CommandContext context)
    {
        var task = NewTaskOf(context);
        try
        {
            return TaskReply(await board.CreateAsync(task).ConfigureAwait(false));
        }
        catch (TaskRefusedException e)
        {
            throw new RequestException(ErrorCodes.BadRequest, e.Message);
        }
    }

    private async ValueTask<Reply> IntakeAsync(CommandContext context)
    {
        var task = NewTaskOf(context);
        try
        {
            return Reply.Of(await board.TakeInAsync(task).ConfigureAwait(false), ProtocolJson.Wire.IntakeReceipt);
        }
        catch (TaskRefusedException e)
        {
            throw new RequestException(ErrorCodes.BadRequest, e.Message);
        }
    }

    private async ValueTask<Reply> GetAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var task = await board.GetWithParentsAsync(id).ConfigureAwait(false) ?? throw NotFound(id);
        var runs = await board.RunsAsync(id).ConfigureAwait(false);
        return TaskReply(runs.Count == 0 ? task : task with { Runs = [.. runs.TakeLast(MaxRuns).Select(Run)] });
    }

    private TaskRun Run(RunRow run) => new()
    {
        Attempt = run.Attempt,
        AgentId = run.AgentId,
        Label = run.AgentNumber is { } number ? AgentLabel.Of(number) : null,
        Profile = run.Profile,
        Access = run.Access,
        Cwd = run.Cwd,
        Binary = run.Binary,
        AgentVersion = run.Version,
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
        HarnessSessionId = run.HarnessSession,
        Resumed = run.IsResumed ? true : null,
        StderrTail = run.StderrTail,
        Denied = run.Denied,
        Result = run.Result,
    };

    private async ValueTask<Reply> ListAsync(CommandContext context)
    {
        var request = context.Request;
        var isHeld = request.Status == "held";
        var query = new TaskQuery
        {
            Status = request.Status is null || isHeld ? null : CommandContext.State(request.Status, "status"),
            Held = isHeld ? true : null,
            Agent = CommandContext.OptionalName(request.Agent, "agent"),
            Workspace = CommandContext.OptionalName(request.Workspace, "workspace"),
            Group = CommandContext.OptionalName(request.Group, "group"),
            Tag = CommandContext.OptionalName(request.Tag, "tag"),
            Schedule = CommandContext.OptionalName(request.Schedule, "schedule"),
            NewestFirst = request.Order switch
            {
                null or "oldest" => false,
                "newest" => true,
                var other => throw CommandContext.Bad("order", $"is '{other}'; it can be oldest or newest"),
            },
            Limit = CommandContext.Number(request.Limit, "limit", DefaultListLimit, 1, MaxListLimit),
            After = request.After switch
            {
                null => null,
                [var last] => last,
                _ => throw CommandContext.Bad("after", "is a list; a page begins after one task"),
            },
            MaxCharacters = MaxPageCharacters,
        };
        try
        {
            return Reply.Of(queue.Show(await board.ListAsync(query).ConfigureAwait(false)), ProtocolJson.Wire.TaskList);
        }
        catch (ArgumentException)
        {
            throw CommandContext.Bad("after", $"is '{query.After}', which is no task's id");
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
            StopRunOf(result);
        return EdgeReply(result, id);
    }

    private async ValueTask<Reply> CancelAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var result = await board.CancelAsync(id).ConfigureAwait(false);
        StopRunOf(result);
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

    private async ValueTask<Reply> RetryAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var feedback = CommandContext.Text(context.Request.Feedback, "feedback");
        return EdgeReply(await board.RetryAsync(id, string.IsNullOrWhiteSpace(feedback) ? null : feedback).ConfigureAwait(false), id);
    }

    private async ValueTask<Reply> EditAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        var edit = EditOf(context.Request);
        // Whether any profile can take the whole of it is looked at first: what another edit does meanwhile is the other edit's to answer for.
        if (await board.GivenAsync(id).ConfigureAwait(false) is { } given)
            Require(edit.Of(given));
        try
        {
            return EdgeReply(await board.EditAsync(id, edit).ConfigureAwait(false), id);
        }
        catch (TaskRefusedException e)
        {
            throw new RequestException(ErrorCodes.BadRequest, e.Message);
        }
    }

    private async ValueTask<Reply> DeleteAsync(CommandContext context)
    {
        var id = CommandContext.Name(context.Request.TaskId, "task_id");
        return EdgeReply(await board.DeleteAsync(id).ConfigureAwait(false), id);
    }

    private void StopRunOf(EdgeResult result)
    {
        if (result.Outcome == EdgeOutcome.Applied && supervisor.FindByTask(result.Task!.Id) is { } agent)
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

    /// <summary>A new task as a request states it, each field within its bounds, and something that can be done here.</summary>
    public NewTask NewTaskOf(CommandContext context)
    {
        var request = context.Request;
        CommandContext.Name(request.Title, "title", CommandContext.MaxTitleLength);
        if (request.Key is { } key)
            CommandContext.Name(key, "key");
        // A task that is yet to be is one of which everything is to be different.
        var task = EditOf(request, isNew: true).Of(new NewTask { Title = request.Title! });
        Require(task);
        return task;
    }

    /// <summary>What a request says of a task, each field within its bounds. An empty name takes the field away.</summary>
    private static TaskEdit EditOf(CommandRequest request, bool isNew = false)
    {
        // Of a new task there is nothing to take away.
        var least = isNew ? 1 : 0;
        if (request.SessionId is { } session && (isNew || session.Length > 0) && !Core.Sessions.SessionId.IsValid(session))
            throw CommandContext.Bad("session_id", "is no session id: 1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot");
        if (CommandContext.OptionalName(request.Cwd, "cwd", 4_096) is { Length: > 0 } cwd && !cwd.StartsWith('/'))
            throw CommandContext.Bad("cwd", $"is '{cwd}'; use an absolute path");
        return new TaskEdit
        {
            Title = request.Title is null ? null : CommandContext.Name(request.Title, "title", CommandContext.MaxTitleLength),
            Description = CommandContext.Text(request.Description, "description"),
            Capabilities = request.Capabilities is null ? null : CommandContext.Names(request.Capabilities, "capabilities"),
            Priority = request.Priority,
            MaxAttempts = request.MaxAttempts is null ? null : CommandContext.Number(request.MaxAttempts, "max_attempts", 3, 1, MaxAttemptsLimit),
            Key = CommandContext.OptionalName(request.Key, "key"),
            SessionId = request.SessionId,
            Hold = request.Hold,
            Agent = CommandContext.OptionalName(request.Agent, "agent", MaxPlaceNameLength),
            Model = CommandContext.OptionalName(request.Model, "model"),
            Workspace = CommandContext.OptionalName(request.Workspace, "workspace", MaxPlaceNameLength),
            Cwd = request.Cwd,
            After = request.After is null or [""] ? request.After : CommandContext.Names(request.After, "after"),
            OnFailed = request.OnFailed is null ? null : CommandContext.Policy(request.OnFailed, "on_failed"),
            NotBefore = request.NotBefore,
            Group = CommandContext.OptionalName(request.Group, "group", MaxPlaceNameLength),
            Tags = request.Tags is null or [""] ? request.Tags : CommandContext.Names(request.Tags, "tags", MaxTags, MaxPlaceNameLength),
            Check = CommandContext.Text(request.Check, "check", MaxCheckLength),
            RunTimeout = CommandContext.OptionalNumber(request.RunTimeoutMs, "run_timeout_ms", least, MaxRunTimeoutMs) is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            BudgetMicrocents = CommandContext.OptionalNumber(request.BudgetMicrocents, "budget_microcents", least, MaxBudgetMicrocents),
            Tenant = CommandContext.OptionalName(request.Tenant, "tenant"),
        };
    }

    private void Require(NewTask task)
    {
        if (supervisor.WhyTooLong(task.Title, task.Description) is { } problem)
            throw CommandContext.Bad("description", $"is too long for the configured agent: {problem}");
        places.Require(task);
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

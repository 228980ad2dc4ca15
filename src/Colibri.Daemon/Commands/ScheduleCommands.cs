using Colibri.Core.Board;
using Colibri.Core.Schedules;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about schedules.</summary>
/// <param name="desk">The schedules.</param>
/// <param name="taskOf">Reads and checks a task as <c>create-task</c> does.</param>
internal sealed class ScheduleCommands(ScheduleDesk desk, Func<CommandContext, NewTask> taskOf)
{
    private const int MaxTimeLength = 64;
    private const int MaxZoneLength = 64;
    private const int MaxCronLength = 256;
    private const int MaxMissed = 1_000;
    private const int UsualMissed = 10;
    private const long MinEveryMs = 100;
    private const long MaxEveryMs = 366L * 24 * 60 * 60 * 1_000;
    private const long MaxJitterMs = 60 * 60 * 1_000;
    private const int MaxPreview = 100;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.ScheduleTask, ScheduleAsync),
        new(WireCommand.ListSchedules, ListAsync),
        new(WireCommand.DeleteSchedule, DeleteAsync),
        new(WireCommand.PauseSchedule, PauseAsync),
        new(WireCommand.ResumeSchedule, ResumeAsync),
    ];

    private async ValueTask<Reply> ScheduleAsync(CommandContext context)
    {
        var schedule = ScheduleOf(context.Request);
        var preview = CommandContext.OptionalNumber(context.Request.Next, "next", 1, MaxPreview);
        try
        {
            if (preview is { } most)
            {
                var (row, times) = desk.Preview(schedule, (int)most);
                return Answer(row, next: [.. times.Select(at => ScheduleDesk.Local(schedule.Zone, at))]);
            }
            var (stored, isReplaced) = await desk.SetAsync(schedule).ConfigureAwait(false);
            return Answer(stored, isReplaced);
        }
        catch (ScheduleRefusedException e)
        {
            throw new RequestException(ErrorCodes.BadRequest, e.Message);
        }
        catch (TaskRefusedException e)
        {
            throw new RequestException(ErrorCodes.BadRequest, $"task.{e.Message}");
        }
        catch (ScheduleLimitException e)
        {
            throw new RequestException(ErrorCodes.Conflict, e.Message);
        }
    }

    private async ValueTask<Reply> ListAsync(CommandContext context)
    {
        var rows = await desk.ListAsync().ConfigureAwait(false);
        return Reply.Of(new ScheduleList([.. rows.Select(Show)]), ProtocolJson.Wire.ScheduleList);
    }

    private async ValueTask<Reply> DeleteAsync(CommandContext context)
    {
        var name = CommandContext.Name(context.Request.Name, "name");
        return Answer(await desk.DeleteAsync(name).ConfigureAwait(false) ?? throw NotFound(name));
    }

    private async ValueTask<Reply> PauseAsync(CommandContext context)
    {
        var name = CommandContext.Name(context.Request.Name, "name");
        return Answer(await desk.PauseAsync(name).ConfigureAwait(false) ?? throw NotFound(name));
    }

    private async ValueTask<Reply> ResumeAsync(CommandContext context)
    {
        var name = CommandContext.Name(context.Request.Name, "name");
        try
        {
            return Answer(await desk.ResumeAsync(name).ConfigureAwait(false) ?? throw NotFound(name));
        }
        catch (ScheduleRefusedException e)
        {
            throw new RequestException(ErrorCodes.Unavailable, $"schedule {name} stays paused: {e.Message}");
        }
    }

    private NewSchedule ScheduleOf(CommandRequest request)
    {
        var name = CommandContext.Name(request.Name, "name");
        if (request.Task is not { } template)
            throw CommandContext.Bad("task", "is missing");
        if (template.Key is not null)
            throw CommandContext.Bad("task.key", "is given; a schedule's task has none, because each firing makes a task of its own");
        var schedule = new NewSchedule
        {
            Name = name,
            Cron = CommandContext.OptionalName(request.Cron, "cron", MaxCronLength),
            EveryMs = CommandContext.OptionalNumber(request.EveryMs, "every_ms", MinEveryMs, MaxEveryMs),
            At = CommandContext.OptionalName(request.At, "at", MaxTimeLength),
            Zone = request.Zone is null ? ScheduleDesk.Zone : CommandContext.Name(request.Zone, "zone", MaxZoneLength),
            Overlap = request.Overlap switch
            {
                null or "skip" => ScheduleOverlap.Skip,
                "queue" => ScheduleOverlap.Queue,
                "replace" => ScheduleOverlap.Replace,
                var other => throw CommandContext.Bad("overlap", $"is '{other}'; it can be skip, queue or replace"),
            },
            Missed = request.Missed switch
            {
                null or "once" => MissedRuns.Once,
                "none" => MissedRuns.None,
                "all" => MissedRuns.All,
                var other => throw CommandContext.Bad("missed", $"is '{other}'; it can be none, once or all"),
            },
            MissedMax = CommandContext.Number(request.MissedMax, "missed_max", UsualMissed, 1, MaxMissed),
            JitterMs = CommandContext.OptionalNumber(request.JitterMs, "jitter_ms", 0, MaxJitterMs) ?? 0,
            Task = TaskOf(template),
        };
        return schedule;
    }

    private NewTask TaskOf(TaskTemplate template)
    {
        try
        {
            return taskOf(new CommandContext(template.Request(WireCommand.CreateTask.Name)));
        }
        catch (RequestException e) when (e.Code == ErrorCodes.BadRequest)
        {
            throw new RequestException(ErrorCodes.BadRequest, $"task: {e.Message}");
        }
    }

    private static Reply Answer(ScheduleRow row, bool isReplaced = false, IReadOnlyList<string>? next = null) =>
        Reply.Of(new ScheduleAnswer(Show(row), isReplaced ? true : null, next), ProtocolJson.Wire.ScheduleAnswer);

    private static Schedule Show(ScheduleRow row)
    {
        var given = row.Given;
        return new Schedule
        {
            Name = given.Name,
            Cron = given.Cron,
            EveryMs = given.EveryMs,
            At = given.At,
            Zone = given.Zone,
            Overlap = ScheduleWords.Of(given.Overlap),
            Missed = ScheduleWords.Of(given.Missed),
            MissedMax = given.MissedMax,
            JitterMs = given.JitterMs,
            Paused = row.IsPaused,
            Over = row.NextAt is null ? true : null,
            NextAt = row.IsPaused ? null : row.NextAt,
            NextLocal = row is { IsPaused: false, NextAt: { } next } ? ScheduleDesk.Local(given.Zone, next) : null,
            LastAt = row.LastAt,
            LastOutcome = row.LastOutcome is { } outcome ? ScheduleWords.Of(outcome) : null,
            LastTask = row.LastTask,
            Fired = row.Fired,
            Skipped = row.Skipped,
            MissedCount = row.Missed,
            Problem = row.Problem,
            Task = Show(given.Task),
            CreatedAt = row.CreatedAt,
        };
    }

    private static TaskTemplate Show(NewTask task) => new()
    {
        Title = task.Title,
        Description = task.Description.Length > 0 ? task.Description : null,
        Capabilities = Some(task.Capabilities),
        Priority = task.Priority,
        MaxAttempts = task.MaxAttempts,
        SessionId = task.SessionId,
        Hold = task.Hold ? true : null,
        Agent = task.Agent,
        Model = task.Model,
        Workspace = task.Workspace,
        Cwd = task.Cwd,
        After = Some(task.After),
        NotBefore = task.NotBefore,
        Group = task.Group,
        Tags = Some(task.Tags),
        Check = task.Check,
        RunTimeoutMs = (long?)task.RunTimeout?.TotalMilliseconds,
        BudgetMicrocents = task.BudgetMicrocents,
        Tenant = task.Tenant,
        OnFailed = task.OnFailed switch
        {
            OnFailed.Fail => "fail",
            OnFailed.Run => "run",
            _ => null,
        },
    };

    private static IReadOnlyList<string>? Some(IReadOnlyList<string> names) => names.Count > 0 ? names : null;

    private static RequestException NotFound(string name) => new(ErrorCodes.NotFound, $"there is no schedule {name}; colibri schedules shows them");
}

using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>Tasks at certain times.</summary>
internal sealed class ScheduleCommands(BoundCommand bound)
{
    private static readonly PositionalSpec ScheduleName = PositionalSpec.Of(WireCommand.ScheduleTask.Field("name"));

    private static readonly PositionalSpec Title = PositionalSpec.Of(WireCommand.CreateTask.Field("title")) with { Many = true };

    private static readonly OptionSpec[] Options =
    [
        OptionSpec.Text(WireCommand.ScheduleTask.Field("cron"), "EXPRESSION"),
        OptionSpec.Number(WireCommand.ScheduleTask.Field("every_ms")),
        OptionSpec.Text(WireCommand.ScheduleTask.Field("at"), "TIME"),
        OptionSpec.Text(WireCommand.ScheduleTask.Field("zone"), "NAME"),
        OptionSpec.OneOf(WireCommand.ScheduleTask.Field("overlap"), "WHAT", Choices.Overlaps),
        OptionSpec.OneOf(WireCommand.ScheduleTask.Field("missed"), "WHICH", Choices.MissedRuns),
        OptionSpec.Number(WireCommand.ScheduleTask.Field("missed_max")),
        OptionSpec.Number(WireCommand.ScheduleTask.Field("jitter_ms")),
        OptionSpec.Number(WireCommand.ScheduleTask.Field("next")),
        .. TaskCommands.TaskOptions.Where(option => option.Name != "--key"),
    ];

    public static readonly CommandSpec[] All =
    [
        new("schedule", CommandGroup.Tasks, "make a task at certain times that is done here")
        {
            Positional = ScheduleName,
            Second = Title,
            Options = Options,
            Example = "schedule news --cron '0 7 * * 1-5' --zone Europe/Berlin Write the morning report",
            Note = "It is done in the workspace that holds the current directory, else in the current directory itself, unless -w or --cwd is given. "
                + "--next 5 shows the next five times and stores nothing. A schedule of the same name is replaced.",
        },
        new("schedules", CommandGroup.Tasks, "list schedules, with the next time of each in its own zone") { Example = "schedules" },
        new(WireCommand.ScheduleTask, CommandGroup.Tasks)
        {
            IsSeldom = true,
            Positional = ScheduleName,
            Second = Title,
            Options = Options,
            Example = "schedule-task news --cron '0 7 * * 1-5' --zone Europe/Berlin Write the morning report",
        },
        new(WireCommand.ListSchedules, CommandGroup.Tasks) { IsSeldom = true, Example = "list-schedules" },
        new(WireCommand.DeleteSchedule, CommandGroup.Tasks) { IsSeldom = true, Positional = ScheduleName, Example = "delete-schedule news" },
        new(WireCommand.PauseSchedule, CommandGroup.Tasks) { IsSeldom = true, Positional = ScheduleName, Example = "pause-schedule news" },
        new(WireCommand.ResumeSchedule, CommandGroup.Tasks) { IsSeldom = true, Positional = ScheduleName, Example = "resume-schedule news" },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new ScheduleCommands(bound);
        app.Add("schedule", commands.Schedule);
        app.Add("schedules", commands.List);
        app.Add("schedule-task", commands.ScheduleTask);
        app.Add("list-schedules", commands.List);
        app.Add("delete-schedule", commands.Delete);
        app.Add("pause-schedule", commands.Pause);
        app.Add("resume-schedule", commands.Resume);
    }

    public void Schedule(string name, [Many] string[] title, string? cron = null, long? everyMs = null, string? at = null, string? zone = null, [Overlap] string? overlap = null,
        [MissedRuns] string? missed = null, int? missedMax = null, long? jitterMs = null, int? next = null, string? description = null, [Many] string[]? capability = null,
        int? priority = null, int? maxAttempts = null, string? sessionId = null, bool hold = false, string? agent = null, string? model = null, string? workspace = null,
        string? cwd = null, [Many] string[]? after = null, string? notBefore = null, string? group = null, [Many] string[]? tag = null, string? check = null,
        long? runTimeoutMs = null, long? budgetMicrocents = null, string? tenant = null, [OnFailed] string? onFailed = null) => bound.Will(async session =>
    {
        var task = new SaidTask(string.Join(' ', title), description, capability, priority, maxAttempts, null, sessionId, hold, agent, model, workspace, cwd, after, notBefore, group,
            tag, check, runTimeoutMs, budgetMicrocents, tenant, onFailed).Request(WireCommand.CreateTask.Name, bound);
        // A tenant's task works in the tenant's root, which is elsewhere.
        if (workspace is null && cwd is null && tenant is null)
            task = await CurrentPlace.HereAsync(session, bound, task).ConfigureAwait(false);
        var reply = await session.AskAsync(Request(name, cron, everyMs, at, zone, overlap, missed, missedMax, jitterMs, next, task)).ConfigureAwait(false);
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else
            Show(session.Screen, reply);
        return ExitCodes.Done;
    });

    public void ScheduleTask(string name, [Many] string[] title, string? cron = null, long? everyMs = null, string? at = null, string? zone = null, [Overlap] string? overlap = null,
        [MissedRuns] string? missed = null, int? missedMax = null, long? jitterMs = null, int? next = null, string? description = null, [Many] string[]? capability = null,
        int? priority = null, int? maxAttempts = null, string? sessionId = null, bool hold = false, string? agent = null, string? model = null, string? workspace = null,
        string? cwd = null, [Many] string[]? after = null, string? notBefore = null, string? group = null, [Many] string[]? tag = null, string? check = null,
        long? runTimeoutMs = null, long? budgetMicrocents = null, string? tenant = null, [OnFailed] string? onFailed = null) => bound.WillAsk(
        () => Request(name, cron, everyMs, at, zone, overlap, missed, missedMax, jitterMs, next, new SaidTask(
            string.Join(' ', title), description, capability, priority, maxAttempts, null, sessionId, hold, agent, model, workspace, cwd, after, notBefore, group, tag, check,
            runTimeoutMs, budgetMicrocents, tenant, onFailed).Request(WireCommand.CreateTask.Name, bound)),
        Show);

    public void List() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListSchedules.Name },
        (screen, reply) => ScheduleView.Write(screen, reply.Read(ProtocolJson.Wire.ScheduleList)));

    public void Delete(string name) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.DeleteSchedule.Name, Name = name },
        (screen, _) => screen.Line($"deleted schedule {Words.Plain(name)}; its tasks stay: colibri list-tasks --schedule {Words.Plain(name)}"));

    public void Pause(string name) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.PauseSchedule.Name, Name = name },
        (screen, _) => screen.Line($"schedule {Words.Plain(name)} is paused; go on: colibri resume-schedule {Words.Plain(name)}"));

    public void Resume(string name) => bound.WillAsk(() => new CommandRequest { Cmd = WireCommand.ResumeSchedule.Name, Name = name }, Show);

    private static CommandRequest Request(string name, string? cron, long? everyMs, string? at, string? zone, string? overlap, string? missed, int? missedMax, long? jitterMs, int? next,
        CommandRequest task) => new()
        {
            Cmd = WireCommand.ScheduleTask.Name,
            Name = name,
            Cron = cron,
            EveryMs = everyMs,
            At = at,
            Zone = zone,
            Overlap = overlap,
            Missed = missed,
            MissedMax = missedMax,
            JitterMs = jitterMs,
            Next = next,
            Task = TaskTemplate.Of(task),
        };

    private static void Show(Screen screen, Reply reply) => ScheduleView.Write(screen, reply.Read(ProtocolJson.Wire.ScheduleAnswer));
}

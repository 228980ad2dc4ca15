using Colibri.Cli.Following;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>What is typed most: each of these is more than one request.</summary>
internal sealed class ShortCommands(BoundCommand bound)
{
    private const int Looks = 5;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);
    private static readonly PositionalSpec TaskId = PositionalSpec.Of(WireCommand.GetTask.Field("task_id"));

    public static readonly CommandSpec[] All =
    [
        new("add", CommandGroup.Tasks, "put a task on the board that is done here")
        {
            Positional = PositionalSpec.Of(WireCommand.CreateTask.Field("title")) with { Many = true },
            Options = [.. TaskCommands.TaskOptions],
            Example = "add Fix the login test -w site --agent claude",
            Note = "It is done in the workspace that holds the current directory, else in the current directory itself, unless -w or --cwd is given. "
                + "A last word '-' reads the description from standard input.",
        },
        new("retry", CommandGroup.Tasks, "queue tasks that are over once more")
        {
            Positional = TaskId with { Many = true, Optional = true },
            Options =
            [
                OptionSpec.Flag("--failed", "all that have failed"),
                OptionSpec.Text(WireCommand.RetryTask.Field("feedback"), "TEXT").OrStdin(),
            ],
            Example = "retry 12 14 --feedback 'The tests run with npm test'",
        },
        new("logs", CommandGroup.Tasks, "show what was said in a task's runs")
        {
            Positional = TaskId,
            Options =
            [
                OptionSpec.Flag("--follow", "go on as it is said, until the task is over") with { Short = "-f" },
                OptionSpec.Flag("--full", "long tool results whole"),
            ],
            Example = "logs 12 -f",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new ShortCommands(bound);
        app.Add("add", commands.Add);
        app.Add("retry", commands.Retry);
        app.Add("logs", commands.Logs);
    }

    public void Add([Many] string[] title, string? description = null, [Many] string[]? capability = null, int? priority = null,
        int? maxAttempts = null, string? key = null, string? sessionId = null, bool hold = false, string? agent = null, string? model = null,
        string? workspace = null, string? cwd = null, [Many] string[]? after = null, string? notBefore = null, string? group = null,
        [Many] string[]? tag = null, string? check = null, long? runTimeoutMs = null, long? budgetMicrocents = null, string? tenant = null, [OnFailed] string? onFailed = null) => bound.Will(async session =>
    {
        var (words, fromStdin) = title is [.., "-"] && title.Length > 1 ? (title.Take(title.Length - 1).ToArray(), "-") : (title, description);
        if (fromStdin is not null && description is not null && description != fromStdin)
            throw bound.Wrong("the description is given twice");
        var request = new SaidTask(string.Join(' ', words), fromStdin, capability, priority, maxAttempts, key, sessionId, hold, agent, model, workspace, cwd, after,
            notBefore, group, tag, check, runTimeoutMs, budgetMicrocents, tenant, onFailed).Request(WireCommand.CreateTask.Name, bound);
        // A tenant's task works in the tenant's root, which is elsewhere.
        if (workspace is null && cwd is null && tenant is null)
            request = await CurrentPlace.HereAsync(session, bound, request).ConfigureAwait(false);
        var reply = await session.AskAsync(request).ConfigureAwait(false);
        if (session.Json)
        {
            session.Screen.Raw(reply.Data);
            return ExitCodes.Done;
        }
        var task = reply.Read(ProtocolJson.Wire.BoardTask);
        TaskView.Created(session.Screen, task.Capabilities.Count > 0 ? await LookedAtAsync(session, task).ConfigureAwait(false) : task);
        return ExitCodes.Done;
    });

    public void Retry([Many] string[]? taskId = null, bool failed = false, string? feedback = null) => bound.Will(async session =>
    {
        if (failed == (taskId is not null))
            throw bound.Wrong(failed ? "retry takes tasks or --failed, not both" : "retry needs TASK_ID or --failed: colibri retry 12");
        var words = bound.TextOrStdin("--feedback", feedback);
        var names = taskId ?? await FailedAsync(session).ConfigureAwait(false);
        if (names.Count == 0 && !session.Json)
            session.Screen.Line("no task has failed");
        var exitCode = ExitCodes.Done;
        foreach (var name in names)
        {
            try
            {
                var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.RetryTask.Name, TaskId = name, Feedback = words }).ConfigureAwait(false);
                if (session.Json)
                    session.Screen.Raw(reply.Data);
                else
                    session.Screen.Line(Words.Plain(TaskView.Standing(reply.Read(ProtocolJson.Wire.BoardTask))));
            }
            catch (RefusedException e) when (names.Count > 1)
            {
                // One that cannot be tried again must not keep the others from it.
                session.Complain($"{e.Message} ({e.Error.Code})");
                exitCode = ExitCodes.Refused;
            }
        }
        return exitCode;
    });

    public void Logs(string taskId, bool follow = false, bool full = false) => bound.Will(session => TaskLog.RunAsync(session, taskId, follow, full));

    /// <summary>
    /// The task after the scheduler's first look at it, which follows at once: only that look tells whether any agent offers what the task requires. A daemon
    /// that has more to do is not waited for.
    /// </summary>
    private static async Task<BoardTask> LookedAtAsync(CliSession session, BoardTask task)
    {
        var latest = task;
        for (var look = 0; look < Looks && latest is { Status: TaskState.Queued, BlockedBy: null }; look++)
        {
            await Task.Delay(BetweenLooks, session.Cancellation).ConfigureAwait(false);
            var reply = await session.AskAsync(new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = task.Id }).ConfigureAwait(false);
            latest = reply.Read(ProtocolJson.Wire.BoardTask);
        }
        return latest with { Existing = task.Existing };
    }

    private static async Task<IReadOnlyList<string>> FailedAsync(CliSession session)
    {
        var request = new CommandRequest { Cmd = WireCommand.ListTasks.Name, Status = "failed", Limit = 1_000 };
        var names = new List<string>();
        while (true)
        {
            var page = (await session.AskAsync(request).ConfigureAwait(false)).Read(ProtocolJson.Wire.TaskList);
            names.AddRange(page.Tasks.Select(task => task.Id));
            if (page.Next is not { } next)
                return names;
            request = request with { After = [next] };
        }
    }
}

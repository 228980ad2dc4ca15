using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>What runs have changed, and what waits for a person.</summary>
internal sealed class LandingCommands(BoundCommand bound)
{
    private static readonly PositionalSpec TaskId = PositionalSpec.Of(WireCommand.GetChange.Field("task_id"));

    private static readonly OptionSpec ForceLanding = OptionSpec.Flag(WireCommand.LandTask.Field("force"));

    private static readonly OptionSpec ForceDiscard = OptionSpec.Flag(WireCommand.DiscardTask.Field("force"));

    public static readonly CommandSpec[] All =
    [
        new(WireCommand.Inbox, CommandGroup.Tasks)
        {
            Example = "inbox",
            Note = "Questions, changes to review, failures, holds, and what of the daemon needs a hand, each with what to type.",
        },
        new("diff", CommandGroup.Tasks, "show what a task's runs changed, as a patch")
        {
            Positional = TaskId,
            Options = [OptionSpec.Flag("--stat", "its size alone, without the patch")],
            Example = "diff 12",
        },
        new("land", CommandGroup.Tasks, "merge tasks' changes into their bases")
        {
            Positional = TaskId with { Many = true },
            Options = [ForceLanding],
            Example = "land 12 14",
            Note = "The check runs on the merged result before the base moves. The exit status is 1 if one of them did not land.",
        },
        new("discard", CommandGroup.Tasks, "give tasks' changes up; they are parked, not lost")
        {
            Positional = TaskId with { Many = true },
            Options = [ForceDiscard],
            Example = "discard 12",
        },
        new(WireCommand.GetChange, CommandGroup.Tasks)
        {
            Positional = TaskId,
            Options = [OptionSpec.Flag(WireCommand.GetChange.Field("patch"))],
            Example = "get-change 12 --json",
            IsSeldom = true,
        },
        new(WireCommand.LandTask, CommandGroup.Tasks) { Positional = TaskId, Options = [ForceLanding], Example = "land-task 12", IsSeldom = true },
        new(WireCommand.DiscardTask, CommandGroup.Tasks) { Positional = TaskId, Options = [ForceDiscard], Example = "discard-task 12", IsSeldom = true },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new LandingCommands(bound);
        app.Add("inbox", commands.Inbox);
        app.Add("diff", commands.Diff);
        app.Add("land", commands.Land);
        app.Add("discard", commands.Discard);
        app.Add("get-change", commands.GetChange);
        app.Add("land-task", commands.LandTask);
        app.Add("discard-task", commands.DiscardTask);
    }

    public void Inbox() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.Inbox.Name },
        (screen, reply) => InboxView.Write(screen, reply.Read(ProtocolJson.Wire.InboxReport)));

    public void Diff(string taskId, bool stat = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.GetChange.Name, TaskId = taskId, Patch = stat ? null : true },
        (screen, reply) => ChangeView.Write(screen, taskId, reply.Read(ProtocolJson.Wire.ChangeAnswer)));

    public void GetChange(string taskId, bool patch = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.GetChange.Name, TaskId = taskId, Patch = patch ? true : null },
        (screen, reply) => ChangeView.Write(screen, taskId, reply.Read(ProtocolJson.Wire.ChangeAnswer)));

    public void Land([Many] string[] taskId, bool force = false) => bound.Will(session => SettleAsync(session, WireCommand.LandTask, taskId, force));

    public void Discard([Many] string[] taskId, bool force = false) => bound.Will(session => SettleAsync(session, WireCommand.DiscardTask, taskId, force));

    public void LandTask(string taskId, bool force = false) => bound.Will(session => SettleAsync(session, WireCommand.LandTask, [taskId], force));

    public void DiscardTask(string taskId, bool force = false) => bound.Will(session => SettleAsync(session, WireCommand.DiscardTask, [taskId], force));

    private static async Task<int> SettleAsync(CliSession session, WireCommand command, string[] tasks, bool force)
    {
        var exitCode = ExitCodes.Done;
        foreach (var task in tasks)
        {
            try
            {
                var reply = await session.AskAsync(new CommandRequest { Cmd = command.Name, TaskId = task, Force = force ? true : null }).ConfigureAwait(false);
                var change = reply.Read(ProtocolJson.Wire.ChangeAnswer).Change;
                if (session.Json)
                    session.Screen.Raw(reply.Data);
                else
                    ChangeView.Settled(session.Screen, task, change);
                if (change.State == ChangeState.Conflict)
                    exitCode = ExitCodes.Refused;
            }
            catch (RefusedException e) when (tasks.Length > 1)
            {
                // One that cannot land must not keep the others from it.
                session.Complain($"{e.Message} ({e.Error.Code})");
                exitCode = ExitCodes.Refused;
            }
        }
        return exitCode;
    }
}

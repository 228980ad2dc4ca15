using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top.Actions;

/// <summary>One request that changes something, with the command line that does the same.</summary>
/// <param name="Request">What the daemon is sent.</param>
/// <param name="Twin">What a shell is told for the same.</param>
internal sealed record TopAction(CommandRequest Request, string Twin)
{
    /// <summary>What it ends or moves; null where it is done without asking.</summary>
    public string? Confirmation { get; init; }

    public static TopAction Stop(Subject subject, Pane pane, BoardTask? task)
    {
        var name = pane.Label ?? pane.Id;
        var work = task is null ? subject.Task is { } on ? $" on task {on}" : "" : $" on task {TaskView.NameOf(task)} \"{task.Title}\"";
        return new TopAction(new CommandRequest { Cmd = WireCommand.StopAgent.Name, AgentId = pane.Id }, $"colibri stop-agent {name}")
        {
            Confirmation = $"Stop agent {name} ({pane.Agent}{(pane.Pid is { } pid ? $", pid {pid}" : "")}){work}? It ends with its whole process tree.",
        };
    }

    public static TopAction Retry(string task, string feedback) => new(
        new CommandRequest { Cmd = WireCommand.RetryTask.Name, TaskId = task, Feedback = feedback.Length > 0 ? feedback : null },
        $"colibri retry {task}{(feedback.Length > 0 ? $" --feedback {Quoted(feedback)}" : "")}");

    public static TopAction Land(string task, WorkChange? change) => new(new CommandRequest { Cmd = WireCommand.LandTask.Name, TaskId = task }, $"colibri land {task}")
    {
        Confirmation = $"Land the change of task {task}{Size(change)}? It is merged into its base once its check passes.",
    };

    public static TopAction Discard(string task, WorkChange? change) => new(new CommandRequest { Cmd = WireCommand.DiscardTask.Name, TaskId = task }, $"colibri discard {task}")
    {
        Confirmation = $"Discard the change of task {task}{Size(change)}? Its branch and its tree are removed; its commits are parked in the repository.",
    };

    public static TopAction Pause() => new(new CommandRequest { Cmd = WireCommand.PauseQueue.Name }, "colibri pause-queue");

    public static TopAction Resume() => new(new CommandRequest { Cmd = WireCommand.ResumeQueue.Name }, "colibri resume-queue");

    public static TopAction Hold(string task) => new(new CommandRequest { Cmd = WireCommand.HoldTask.Name, TaskId = task }, $"colibri hold-task {task}");

    public static TopAction Release(string task) => new(new CommandRequest { Cmd = WireCommand.ReleaseTask.Name, TaskId = task }, $"colibri release-task {task}");

    public static TopAction Answer(string agent, string agentId, AgentQuestion question, string value) => new(
        new CommandRequest { Cmd = WireCommand.AnswerAgent.Name, AgentId = agentId, Request = question.Request, Value = value }, $"colibri answer {agent} --value {Quoted(value)}");

    public static TopAction Answer(string agent, string agentId, AgentQuestion question, bool confirmed) => new(
        new CommandRequest { Cmd = WireCommand.AnswerAgent.Name, AgentId = agentId, Request = question.Request, Confirmed = confirmed }, $"colibri answer {agent} {(confirmed ? "--yes" : "--no")}");

    /// <summary>What the daemon's answer means, in one line.</summary>
    public string Outcome(Reply reply, string agent) => Request.Cmd switch
    {
        "retry-task" or "hold-task" or "release-task" => TaskView.Standing(reply.Read(ProtocolJson.Wire.BoardTask)),
        "land-task" or "discard-task" => StyledLine.Printed(int.MaxValue, default, screen => ChangeView.Settled(screen, Request.TaskId!, reply.Read(ProtocolJson.Wire.ChangeAnswer).Change))[0].Text,
        "stop-agent" => AgentView.Standing(reply.Read(ProtocolJson.Wire.Agent)),
        "answer" => $"agent {agent} has its answer",
        "pause-queue" => "the queue is paused",
        "resume-queue" => "the queue goes on",
        _ => "done",
    };

    private static string Size(WorkChange? change) => change is null ? "" : $" ({change.Branch}: {ChangeView.Size(change)})";

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Help;

/// <summary><c>completion --values</c>: what a completion script offers where a task, an agent, a profile or a workspace is to be named.</summary>
internal static class CompletionValues
{
    public const string Tasks = "tasks";
    public const string Agents = "agents";
    public const string Profiles = "profiles";
    public const string Workspaces = "workspaces";

    /// <summary>Somebody waits at a prompt: after this the shell offers nothing.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const int MostTasks = 100;
    private const int WidestSummary = 50;

    public static IReadOnlyList<string> All { get; } = [Tasks, Agents, Profiles, Workspaces];

    /// <summary>What the values of a field are; null where the daemon has no list of them.</summary>
    public static string? Of(WireField field) => field.Name switch
    {
        "task_id" or "after" => Tasks,
        "agent_id" => Agents,
        "agent" => Profiles,
        "workspace" => Workspaces,
        _ => null,
    };

    /// <summary>
    /// Prints a line for each: the value, a tab, and what it is. A daemon that is not there, refuses or does not answer in time has no values: a message would stand
    /// in the middle of what somebody types.
    /// </summary>
    public static async Task<int> RunAsync(CliSession session, string what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(session.Cancellation);
        limit.CancelAfter(Patience);
        try
        {
            using var client = await ColibriClient.ConnectAsync(session.SocketPath, limit.Token).ConfigureAwait(false);
            var reply = await client.SendAsync(Request(what), null, limit.Token).ConfigureAwait(false);
            if (reply.Ok)
                Write(session.Screen, what, reply);
        }
        catch (Exception e) when (e is DaemonUnreachableException or JsonException or OperationCanceledException)
        {
            session.Cancellation.ThrowIfCancellationRequested();
        }
        return ExitCodes.Done;
    }

    private static CommandRequest Request(string what) => what switch
    {
        Tasks => new CommandRequest { Cmd = WireCommand.ListTasks.Name, Order = "newest", Limit = MostTasks },
        Agents => new CommandRequest { Cmd = WireCommand.ListAgents.Name },
        _ => new CommandRequest { Cmd = WireCommand.Status.Name },
    };

    private static void Write(Screen screen, string what, Reply reply)
    {
        switch (what)
        {
            case Tasks:
                foreach (var task in reply.Read(ProtocolJson.Wire.TaskList).Tasks)
                    Line(screen, TaskView.NameOf(task), $"{TaskView.StatusOf(task)}: {task.Title}");
                break;
            case Agents:
                foreach (var agent in reply.Read(ProtocolJson.Wire.AgentList).Agents.Where(agent => agent.Exit is null && agent.Lifecycle is not Lifecycle.Stopped))
                    Line(screen, AgentView.NameOf(agent), agent.Name);
                break;
            case Profiles:
                foreach (var profile in reply.Read(ProtocolJson.Wire.StatusReport).Agents.Profiles ?? [])
                    Line(screen, profile.Name, profile.Kind);
                break;
            default:
                foreach (var workspace in reply.Read(ProtocolJson.Wire.StatusReport).Workspaces ?? [])
                    Line(screen, workspace.Name, workspace.Path);
                break;
        }
    }

    private static void Line(Screen screen, string value, string summary) =>
        screen.Line($"{Words.Plain(value)}\t{Columns.Cut(Words.Plain(summary), WidestSummary)}");
}

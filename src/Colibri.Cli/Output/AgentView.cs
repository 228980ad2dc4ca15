using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>Agents for a person.</summary>
internal static class AgentView
{
    public static void List(Screen screen, AgentList list)
    {
        if (list.Agents.Count == 0)
        {
            screen.Line("no agents; start one: colibri spawn-agent BINARY --task-id TASK_ID");
            return;
        }
        var table = new Table("ID", new TableColumn("NAME", Flexible: true), "KIND", "STATE");
        foreach (var agent in list.Agents)
        {
            table.Add(NameOf(agent), agent.Name, agent.Kind, new TableCell(State(agent), ToneOf(agent.Activity)));
            if (agent.TaskId is { } task)
                table.Below($"{(agent.Lifecycle == Lifecycle.Stopped ? "was on" : "on")} task {agent.TaskNumber?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? task}");
            if (agent.Runtime is { } runtime && Protocol.Runtimes.Kinds.Any(kind => kind.Name == runtime && kind.IsDocumentedOnly))
                table.Below($"Colibri knows {runtime} from documents only");
            if (agent is { Kind: "registered", Host: { } host })
                table.Below($"at {host}");
        }
        table.Write(screen);
    }

    public static void Started(Screen screen, Agent agent)
    {
        var pid = agent.Pid is { } number ? $", pid {number}" : "";
        screen.Line($"started {Words.Plain(agent.Name)} as agent {Words.Plain(NameOf(agent))}{pid}");
        screen.Line("see it work: colibri snapshot");
    }

    /// <summary>What a person types for it: its label, or its id from a daemon that gives none.</summary>
    public static string NameOf(Agent agent) => agent.Label ?? agent.Id;

    /// <summary>One line on where an agent stands.</summary>
    public static string Standing(Agent agent) => $"agent {NameOf(agent)} ({agent.Name}) is {State(agent)}";

    public static string Ended(ProcessExit exit) => exit switch
    {
        { Signal: { } signal } => $"signal {signal}",
        { Code: { } code } => $"exit {code}",
        _ => "exit unknown",
    };

    public static Tone ToneOf(Activity? activity) => activity switch
    {
        Activity.Error => Tone.Bad,
        Activity.Blocked => Tone.Attention,
        _ => Tone.Plain,
    };

    private static string State(Agent agent) => agent switch
    {
        { Exit: { } exit } => $"stopped, {Ended(exit)}",
        { Lifecycle: Lifecycle.Running, Activity: { } activity } => Words.Of(activity),
        { Lifecycle: { } lifecycle } => Words.Of(lifecycle),
        { LastHeartbeatAt: { } heard } => $"heard {Words.Clock(heard)}",
        _ => "registered",
    };
}

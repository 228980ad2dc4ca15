using System.Globalization;
using Colibri.Cli.Output;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top;

/// <summary>The parts of the main page, from the top down.</summary>
internal enum Part
{
    Attention,
    Agents,
    Queue,
}

/// <summary>One row of a part: of the three the one that its part has.</summary>
/// <param name="Part">Where it stands.</param>
/// <param name="Key">The same for the same thing in every frame.</param>
/// <param name="Item">Of the attention.</param>
/// <param name="Pane">Of the agents.</param>
/// <param name="Task">Of the queue; of an agent, its task, where that is held.</param>
internal sealed record TopRow(Part Part, string Key, InboxItem? Item, Pane? Pane, BoardTask? Task)
{
    public Subject Subject => new(
        Item?.TaskId ?? Pane?.TaskId ?? Task?.Id,
        Number(Item?.Number ?? Pane?.TaskNumber ?? Task?.Number),
        Item?.AgentId ?? Pane?.Id,
        Item?.Label ?? Pane?.Label);

    /// <summary>What the filter looks through.</summary>
    private string Searched => string.Join(' ',
        new[]
        {
            Item is { } item ? $"{Words.Of(item.Kind)} {item.Label} {item.Title} {item.Message} {item.Name}" : null,
            Pane is { } pane ? $"{pane.Label} {pane.Agent} {PaneView.Standing(pane)} {pane.Error} {pane.Question?.Title}" : null,
            Task is { } task ? $"{task.Title} {task.Agent} {task.Workspace} {TaskView.StatusOf(task)} {string.Join(' ', task.BlockedBy?.Select(reason => reason.Code) ?? [])}" : null,
            Subject.TaskNumber,
        }.OfType<string>());

    /// <summary>The rows of a part, those that the filter leaves.</summary>
    public static IReadOnlyList<TopRow> Of(TopModel model, Part part, string filter)
    {
        IEnumerable<TopRow> rows = part switch
        {
            Part.Attention => model.Inbox.Items.Select(item => new TopRow(part, $"{item.Kind} {item.TaskId ?? item.AgentId ?? item.Name} {item.Question?.Request}", item, null, null)),
            Part.Agents => model.Agents.Select(pane => new TopRow(part, pane.Id, null, pane, model.TaskOf(pane.TaskId))),
            _ => model.Queue.Select(task => new TopRow(part, task.Id, null, null, task)),
        };
        return [.. filter.Length == 0 ? rows : rows.Where(row => row.Searched.Contains(filter, StringComparison.OrdinalIgnoreCase))];
    }

    private static string? Number(long? number) => number is > 0 ? number.Value.ToString(CultureInfo.InvariantCulture) : null;
}

/// <summary>What an action is about: a task, an agent, or an agent on its task.</summary>
internal sealed record Subject(string? TaskId, string? TaskNumber, string? AgentId, string? Label)
{
    public static readonly Subject None = new(null, null, null, null);

    /// <summary>What a person types for the task.</summary>
    public string? Task => TaskNumber ?? TaskId;

    /// <summary>What a person types for the agent.</summary>
    public string? Agent => Label ?? AgentId;

    public string Words => (Task, Agent) switch
    {
        (null, null) => "",
        ({ } task, null) => $"task {task}",
        (null, { } agent) => $"agent {agent}",
        ({ } task, { } agent) => $"agent {agent}, task {task}",
    };

    /// <summary>Its agent's pane, of a task the living one that works on it.</summary>
    public Pane? PaneIn(TopModel model) =>
        model.PaneOf(AgentId) ?? (TaskId is { } id ? model.Agents.FirstOrDefault(pane => pane.TaskId == id && pane.Lifecycle != Lifecycle.Stopped) : null);
}

namespace Colibri.Core.Events;

/// <summary>What a subscriber can ask for.</summary>
[Flags]
public enum EventTopic
{
    None = 0,
    Tasks = 1,
    Panes = 2,
    Cost = 4,
    All = Tasks | Panes | Cost,
}

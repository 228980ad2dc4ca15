using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>Where a task stands on the board. The edges between these are the board's task life cycle.</summary>
[JsonConverter(typeof(KebabEnumConverter<TaskState>))]
public enum TaskState
{
    Queued,
    Claimed,
    Started,
    Done,
    Failed,
    Cancelled,
}

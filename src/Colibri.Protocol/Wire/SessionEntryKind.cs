using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

[JsonConverter(typeof(SnakeEnumConverter<SessionEntryKind>))]
public enum SessionEntryKind
{
    User,
    Assistant,
    ToolResult,
    Usage,
    Compaction,
    Escalation,
    Note,
}

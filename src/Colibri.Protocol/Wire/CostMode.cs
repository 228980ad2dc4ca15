using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>The single source of every threshold on sessions and tool results.</summary>
[JsonConverter(typeof(KebabEnumConverter<CostMode>))]
public enum CostMode
{
    Fast,
    Smart,
    Max,
}

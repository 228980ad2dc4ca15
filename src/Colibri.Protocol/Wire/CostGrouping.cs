using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>What the lines of a <see cref="CostSummary"/> are about.</summary>
[JsonConverter(typeof(KebabEnumConverter<CostGrouping>))]
public enum CostGrouping
{
    Task,
    Session,
    Provider,
    Day,
}

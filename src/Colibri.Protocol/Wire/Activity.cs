using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>What an agent is doing, derived from the events it prints.</summary>
[JsonConverter(typeof(KebabEnumConverter<Activity>))]
public enum Activity
{
    Idle,
    Working,

    /// <summary>It asked something and waits for the answer.</summary>
    Blocked,
    Done,
    Error,
}

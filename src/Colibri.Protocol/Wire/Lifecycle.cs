using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>An agent's process, as the daemon that started it knows it.</summary>
[JsonConverter(typeof(KebabEnumConverter<Lifecycle>))]
public enum Lifecycle
{
    /// <summary>On record, not yet seen to run.</summary>
    Starting,
    Running,

    /// <summary>Asked to end; its process tree is not yet proven gone.</summary>
    Stopping,

    /// <summary>The process and every descendant are gone.</summary>
    Stopped,
}

using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>Why a task's latest attempt did not succeed.</summary>
/// <param name="Code">Kebab-case and stable: scripts match on it.</param>
/// <param name="Message">One line for a person.</param>
[JsonConverter(typeof(TaskErrorConverter))]
public sealed record TaskError(string Code, string Message);

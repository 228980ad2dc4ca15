using System.Text.Json;
using System.Text.Json.Serialization;

namespace Colibri.Protocol.Json;

/// <summary>Enum values as snake_case strings, for the session log whose kinds are spelled so; numbers are refused.</summary>
public sealed class SnakeEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

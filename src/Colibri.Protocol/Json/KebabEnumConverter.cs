using System.Text.Json;
using System.Text.Json.Serialization;

namespace Colibri.Protocol.Json;

/// <summary>Enum values as kebab-case strings; numbers are refused.</summary>
public sealed class KebabEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

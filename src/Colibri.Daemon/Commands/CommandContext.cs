using System.Text.Json;
using Colibri.Core.Board;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>One request as its handler sees it, with typed access that names the field when it is wrong.</summary>
internal sealed class CommandContext(CommandRequest request)
{
    /// <summary>Longest title, in characters.</summary>
    public const int MaxTitleLength = 1_000;

    /// <summary>Longest description, prompt or scratch, in characters.</summary>
    public const int MaxTextLength = 2 * 1024 * 1024;

    /// <summary>Longest name, id or key, in characters.</summary>
    public const int MaxNameLength = 256;

    /// <summary>The context of a command without fields.</summary>
    public static CommandContext None { get; } = new(new CommandRequest { Cmd = "" });

    public CommandRequest Request => request;

    /// <exception cref="RequestException">A field has the wrong type.</exception>
    public static CommandContext Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return new CommandContext(JsonSerializer.Deserialize(line, ProtocolJson.Wire.CommandRequest)!);
        }
        catch (JsonException e)
        {
            throw Bad(FieldOf(e.Path), "has a value of the wrong kind");
        }
    }

    public static RequestException Bad(string field, string problem) => new(ErrorCodes.BadRequest, $"{field} {problem}");

    /// <summary>A required one-line text.</summary>
    public static string Name(string? value, string field, int maxLength = MaxNameLength)
    {
        if (string.IsNullOrWhiteSpace(value))
            throw Bad(field, "is missing");
        return OptionalName(value, field, maxLength)!;
    }

    /// <summary>An optional one-line text.</summary>
    public static string? OptionalName(string? value, string field, int maxLength = MaxNameLength)
    {
        if (value is null)
            return null;
        if (value.Length > maxLength)
            throw Bad(field, $"is {value.Length} characters long; the limit is {maxLength}");
        return value.Any(char.IsControl) ? throw Bad(field, "holds a control character") : value;
    }

    /// <summary>An optional text of many lines. NUL is refused: it would silently end an argument.</summary>
    public static string? Text(string? value, string field, int maxLength = MaxTextLength)
    {
        if (value is null)
            return null;
        if (value.Length > maxLength)
            throw Bad(field, $"is {value.Length} characters long; the limit is {maxLength}");
        return value.Contains('\0') ? throw Bad(field, "holds a NUL character") : value;
    }

    /// <summary>An optional whole number within bounds.</summary>
    public static long? OptionalNumber(long? value, string field, long minimum, long maximum) =>
        value is not { } number || (number >= minimum && number <= maximum) ? value : throw Bad(field, $"is {number}; it can be {minimum} to {maximum}");

    public static int Number(int? value, string field, int fallback, int minimum, int maximum) =>
        value is not { } number ? fallback
        : number >= minimum && number <= maximum ? number
        : throw Bad(field, $"is {number}; it can be {minimum} to {maximum}");

    public static IReadOnlyList<string> Names(IReadOnlyList<string>? values, string field, int maxCount = 64, int maxLength = MaxNameLength)
    {
        if (values is null)
            return [];
        if (values.Count > maxCount)
            throw Bad(field, $"has {values.Count} entries; the limit is {maxCount}");
        foreach (var value in values)
            Name(value, field, maxLength);
        return values;
    }

    public static TaskState State(string? value, string field)
    {
        foreach (var state in Enum.GetValues<TaskState>())
        {
            if (string.Equals(state.ToString(), value, StringComparison.OrdinalIgnoreCase))
                return state;
        }
        throw value is null
            ? Bad(field, "is missing")
            : Bad(field, $"is '{value}'; it can be queued, claimed, started, done, failed or cancelled");
    }

    public static OnFailed Policy(string value, string field) => value switch
    {
        "hold" => OnFailed.Hold,
        "fail" => OnFailed.Fail,
        "run" => OnFailed.Run,
        _ => throw Bad(field, $"is '{value}'; it can be hold, fail or run"),
    };

    private static string FieldOf(string? path) =>
        path is { Length: > 2 } && path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : "a field";
}

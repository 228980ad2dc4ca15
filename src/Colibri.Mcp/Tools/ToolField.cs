using System.Globalization;
using System.Text.Json;
using Colibri.Protocol;

namespace Colibri.Mcp.Tools;

/// <summary>One argument of a tool.</summary>
/// <param name="Name">As it stands in the call.</param>
/// <param name="Kind">What its value is.</param>
/// <param name="Help">What it is for; the model reads it.</param>
/// <param name="IsRequired">Whether a call without it is refused.</param>
internal sealed record ToolField(string Name, FieldKind Kind, string Help, bool IsRequired = false)
{
    /// <summary>Of a text: the only values there are.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>Of an integer.</summary>
    public long? Minimum { get; init; }

    /// <summary>Of an integer.</summary>
    public long? Maximum { get; init; }

    /// <summary>A field of the wire protocol: what its value is follows from how the table of commands states it.</summary>
    public static ToolField Of(WireField field)
    {
        var isRequired = field.Default == WireField.Required;
        var help = isRequired ? $"{field.Help} ({field.Form})" : $"{field.Help} ({field.Form}; without it: {field.Default})";
        var made = new ToolField(field.Name, FieldKind.Text, help, isRequired);
        if (field.Form is "boolean" or "true")
            return made with { Kind = FieldKind.Boolean };
        if (field.Form.StartsWith("up to", StringComparison.Ordinal))
            return made with { Kind = field.Name == "after" ? FieldKind.Tasks : FieldKind.Texts };
        if (field.Name is "task_id" || (field.Name == "session_id" && isRequired))
            return made with { Kind = FieldKind.Name };
        if (field.Form == "any 32-bit integer")
            return made with { Kind = FieldKind.Integer, Minimum = int.MinValue, Maximum = int.MaxValue };
        if (char.IsAsciiDigit(field.Form[0]) && field.Form.Split(' ')[1] is "to" or "or")
            return Bounded(made, field);
        return field.Name is "mode" or "by" or "order" or "status" or "on_failed" && field.Form.Contains(" or ", StringComparison.Ordinal) && !field.Form.StartsWith("a state", StringComparison.Ordinal)
            ? made with { Values = field.Form.Split([", ", " or "], StringSplitOptions.RemoveEmptyEntries) }
            : made;
    }

    /// <summary>Its JSON Schema.</summary>
    public void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteStartObject(Name);
        switch (Kind)
        {
            case FieldKind.Name:
                writer.WriteStartArray("type");
                writer.WriteStringValue("string");
                writer.WriteStringValue("integer");
                writer.WriteEndArray();
                break;
            case FieldKind.Texts:
                writer.WriteString("type", "array");
                writer.WriteStartObject("items");
                writer.WriteString("type", "string");
                writer.WriteEndObject();
                break;
            case FieldKind.Tasks:
                writer.WriteString("type", "array");
                writer.WriteStartObject("items");
                writer.WriteStartArray("type");
                writer.WriteStringValue("string");
                writer.WriteStringValue("integer");
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            default:
                writer.WriteString("type", Kind.ToString().ToLowerInvariant() switch { "text" => "string", var plain => plain });
                break;
        }
        writer.WriteString("description", Help);
        if (Values is not null)
        {
            writer.WriteStartArray("enum");
            foreach (var value in Values)
                writer.WriteStringValue(value);
            writer.WriteEndArray();
        }
        if (Minimum is { } minimum)
            writer.WriteNumber("minimum", minimum);
        if (Maximum is { } maximum)
            writer.WriteNumber("maximum", maximum);
        writer.WriteEndObject();
    }

    // "1 to 1,000", "1 or more". A limit of a queued task is taken away by 0.
    private static ToolField Bounded(ToolField made, WireField field)
    {
        var words = field.Form.Split(' ');
        var isTakenAwayByZero = field is { Default: "unchanged", Name: "run_timeout_ms" or "budget_microcents" };
        return made with
        {
            Kind = FieldKind.Integer,
            Minimum = isTakenAwayByZero ? 0 : Number(words[0]),
            Maximum = words is [_, "to", var most, ..] ? Number(most) : null,
        };
    }

    private static long Number(string digits) => long.Parse(digits, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
}

/// <summary>What the value of an argument is.</summary>
internal enum FieldKind
{
    Text,
    Integer,
    Boolean,

    /// <summary>A task's or session's id, or a task's number, as text or number.</summary>
    Name,

    /// <summary>A list of texts.</summary>
    Texts,

    /// <summary>A list of tasks, by id or number.</summary>
    Tasks,

    /// <summary>An object that is passed on as it is.</summary>
    Object,
}

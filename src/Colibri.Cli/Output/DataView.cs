using System.Text.Json;

namespace Colibri.Cli.Output;

/// <summary>An answer as labels and values, for what has no view of its own.</summary>
internal static class DataView
{
    public static void Write(Screen screen, JsonElement data, string? except = null)
    {
        if (data.ValueKind is not JsonValueKind.Object)
        {
            screen.Line(Words.Plain(Short(data)));
            return;
        }
        List<(string Label, string Value)> fields = [];
        foreach (var property in data.EnumerateObject())
        {
            if (property.Name != except && property.Value.ValueKind is not JsonValueKind.Null)
                fields.Add((Words.Plain(property.Name).Replace('_', ' '), Words.Plain(Short(property.Value))));
        }
        if (fields.Count == 0)
            return;
        var width = fields.Max(f => Columns.Of(f.Label)) + 2;
        foreach (var (label, value) in fields)
            screen.Field(label, value, width);
    }

    /// <summary>A string without its quotes, yes and no, anything else as JSON.</summary>
    public static string Short(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        _ => value.GetRawText(),
    };
}

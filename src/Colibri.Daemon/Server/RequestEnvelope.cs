using System.Text.Json;
using System.Text.Unicode;

namespace Colibri.Daemon.Server;

/// <summary>
/// The command's name and the id of a request line. Both are read before the fields, so that the error reply to a request with a wrong field
/// still bears its id.
/// </summary>
internal readonly ref struct RequestEnvelope
{
    /// <summary>The command's name, or null where the line has none.</summary>
    public string? Command { get; private init; }

    /// <summary>The id as it was written, a string with its quotes or a number; empty where there is none.</summary>
    public ReadOnlySpan<byte> Id { get; private init; }

    /// <summary>The id is neither string nor number.</summary>
    public bool IdIsInvalid { get; private init; }

    /// <summary>Walks the whole line, so an envelope is returned only for one well-formed object.</summary>
    /// <exception cref="JsonException">The line is no well-formed object.</exception>
    /// <exception cref="InvalidOperationException">A name or the command holds half a surrogate pair.</exception>
    public static RequestEnvelope Read(ReadOnlySpan<byte> line)
    {
        // Utf8JsonReader checks the structure only. Invalid UTF-8 would surface later, when a field is read.
        if (!Utf8.IsValid(line))
            throw new JsonException("a request is UTF-8");
        string? command = null;
        ReadOnlySpan<byte> id = default;
        var idIsInvalid = false;
        var reader = new Utf8JsonReader(line);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("a request is one JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isCommand = reader.ValueTextEquals("cmd"u8);
            var isId = reader.ValueTextEquals("id"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (isCommand && reader.TokenType == JsonTokenType.String)
                command = CommandNameCache.Get(ref reader);
            else if (isId && reader.TokenType is JsonTokenType.String or JsonTokenType.Number)
                id = line[start..(int)reader.BytesConsumed];
            else if (isId && reader.TokenType != JsonTokenType.Null)
                idIsInvalid = true;
            reader.Skip();
        }
        if (reader.Read())
            throw new JsonException("a request is one JSON object");
        return new RequestEnvelope { Command = command, Id = id, IdIsInvalid = idIsInvalid };
    }

    private static class CommandNameCache
    {
        // The hot command allocates no string. For the others the deserialisation that follows costs more.
        public static string? Get(ref Utf8JsonReader reader) =>
            reader.ValueTextEquals("ping"u8) ? Protocol.WireCommand.Ping.Name : reader.GetString();
    }
}

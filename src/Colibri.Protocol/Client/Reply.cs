using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Client;

/// <summary>One reply line.</summary>
public sealed class Reply
{
    private Reply(bool ok, ReadOnlyMemory<byte> id, ReadOnlyMemory<byte> data, WireError? error)
    {
        Ok = ok;
        Id = id;
        Data = data;
        Error = error;
    }

    public bool Ok { get; }

    /// <summary>The request's <c>id</c> as it stands in the reply, raw JSON; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Id { get; }

    /// <summary>The reply's <c>data</c>, byte for byte, raw JSON in UTF-8; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Set exactly when <see cref="Ok"/> is false.</summary>
    public WireError? Error { get; }

    /// <summary><see cref="Data"/> as a wire type.</summary>
    /// <exception cref="JsonException">The data is not that type's.</exception>
    public T Read<T>(JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(Data.Span, type) ?? throw new JsonException("the reply's data is null");

    /// <summary>This reply, where the daemon said yes.</summary>
    /// <exception cref="RefusedException">It said no.</exception>
    public Reply Accepted() => Ok ? this : throw new RefusedException(Error!);

    /// <param name="line">The line without its newline; the reply keeps copies, not the memory.</param>
    /// <exception cref="JsonException">The line is no reply of the protocol.</exception>
    internal static Reply Parse(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("a reply is one JSON object");
        bool? ok = null;
        byte[] id = [], data = [];
        WireError? error = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("ok"u8))
            {
                reader.Read();
                ok = reader.GetBoolean();
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                id = RawValue(line, ref reader);
            }
            else if (reader.ValueTextEquals("data"u8))
            {
                data = RawValue(line, ref reader);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                error = JsonSerializer.Deserialize(ref reader, Json.ProtocolJson.Wire.WireError);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
            throw new JsonException("more than one object");
        return ok switch
        {
            true => new Reply(true, id, data, null),
            false => new Reply(false, id, data, error ?? throw new JsonException("a refusal without an error")),
            null => throw new JsonException("no \"ok\" in it"),
        };
    }

    private static byte[] RawValue(ReadOnlySpan<byte> line, ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return line[start..(int)reader.BytesConsumed].ToArray();
    }
}

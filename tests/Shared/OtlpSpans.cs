using System.Buffers.Binary;
using System.Text;

namespace Colibri.Tests;

/// <summary>
/// Spans as a collector reads them out of an <c>ExportTraceServiceRequest</c>: a reader of Protocol Buffers for itself, which refuses what is no message.
/// </summary>
internal sealed record OtlpSpan(string TraceId, string SpanId, string? ParentId, string Name, long Kind, DateTimeOffset Start, DateTimeOffset End, long Status, IReadOnlyDictionary<string, object> Attributes, string? Service)
{
    /// <exception cref="FormatException">The bytes are no such request.</exception>
    public static IReadOnlyList<OtlpSpan> Read(ReadOnlySpan<byte> request)
    {
        List<OtlpSpan> spans = [];
        foreach (var resourceSpans in Messages(request, 1))
        {
            var resource = Messages(resourceSpans, 1).SelectMany(resource => Pairs(resource, 1)).ToDictionary(pair => pair.Key, pair => pair.Value);
            foreach (var scopeSpans in Messages(resourceSpans, 2))
            {
                foreach (var span in Messages(scopeSpans, 2))
                    spans.Add(One(span, resource.GetValueOrDefault("service.name") as string));
            }
        }
        return spans;
    }

    private static OtlpSpan One(byte[] bytes, string? service)
    {
        var fields = Fields(bytes);
        string? Hex(int field) => fields.FirstOrDefault(one => one.Field == field) is { Bytes: { } id } ? Convert.ToHexStringLower(id) : null;
        DateTimeOffset Time(int field) => DateTimeOffset.UnixEpoch.AddTicks((long)fields.Single(one => one.Field == field).Number / TimeSpan.NanosecondsPerTick);
        return new OtlpSpan(Hex(1)!, Hex(2)!, Hex(4), Encoding.UTF8.GetString(fields.Single(one => one.Field == 5).Bytes!), (long)fields.Single(one => one.Field == 6).Number, Time(7), Time(8),
            Messages(bytes, 15).SelectMany(Fields).Where(one => one.Field == 3).Select(one => (long)one.Number).SingleOrDefault(),
            Pairs(bytes, 9).ToDictionary(pair => pair.Key, pair => pair.Value), service);
    }

    private static IEnumerable<KeyValuePair<string, object>> Pairs(byte[] message, int field) => Messages(message, field).Select(pair =>
    {
        var fields = Fields(pair);
        var value = Fields(fields.Single(one => one.Field == 2).Bytes!).Single();
        return KeyValuePair.Create(Encoding.UTF8.GetString(fields.Single(one => one.Field == 1).Bytes!), value.Field switch
        {
            1 => (object)Encoding.UTF8.GetString(value.Bytes!),
            3 => (long)value.Number,
            var other => throw new FormatException($"a value of kind {other}"),
        });
    });

    private static List<byte[]> Messages(ReadOnlySpan<byte> message, int field) => [.. Fields(message).Where(one => one.Field == field).Select(one => one.Bytes ?? throw new FormatException($"field {field} is no message"))];

    private static List<(int Field, ulong Number, byte[]? Bytes)> Fields(byte[] message) => Fields(message.AsSpan());

    private static List<(int Field, ulong Number, byte[]? Bytes)> Fields(ReadOnlySpan<byte> message)
    {
        List<(int, ulong, byte[]?)> fields = [];
        while (message.Length > 0)
        {
            var tag = Varint(ref message);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0: fields.Add((field, Varint(ref message), null)); break;
                case 1: fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(Cut(ref message, 8)), null)); break;
                case 2: fields.Add((field, 0, Cut(ref message, checked((int)Varint(ref message))).ToArray())); break;
                case 5: fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(Cut(ref message, 4)), null)); break;
                case var type: throw new FormatException($"a field of type {type}");
            }
        }
        return fields;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> rest)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var part = Cut(ref rest, 1)[0];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
        throw new FormatException("a number has no end");
    }

    private static ReadOnlySpan<byte> Cut(ref ReadOnlySpan<byte> rest, int length)
    {
        if (length > rest.Length)
            throw new FormatException("the message ends too soon");
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }
}

using Colibri.Jsonl;

namespace Colibri.UnitTests.Jsonl;

public sealed class AllocationTests
{
    private static readonly JsonFields Fields = new("type", "message", "usage");
    private static readonly JsonFields Usage = new("input", "cost");

    [Test]
    public void Framing_and_reading_every_recording_allocates_nothing()
    {
        var recordings = Recordings.Names().Select(row => Recordings.Read(row)).ToArray();
        var framer = new LineFramer(4 << 20);
        long sum = 0;
        foreach (var bytes in recordings) sum += ReadAll(framer, bytes, 1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var bytes in recordings)
        {
            sum += ReadAll(framer, bytes, bytes.Length);
            sum += ReadAll(framer, bytes, 1000);
            sum += ReadAll(framer, bytes, 7);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
        sum.ShouldBeGreaterThan(0);
    }

    private static long ReadAll(LineFramer framer, byte[] bytes, int chunk)
    {
        var sum = 0L;
        for (var at = 0; at < bytes.Length; at += chunk)
        {
            ReadOnlySpan<byte> input = bytes.AsSpan(at, Math.Min(chunk, bytes.Length - at));
            while (framer.TryRead(ref input, out var line, out _)) sum += ReadLine(line);
        }

        if (framer.Complete(out var torn)) sum += ReadLine(torn);
        return sum;
    }

    private static long ReadLine(ReadOnlySpan<byte> line)
    {
        Span<JsonValue> values = stackalloc JsonValue[3];
        Span<JsonValue> usage = stackalloc JsonValue[2];
        if (JsonLine.TryReadFirstType(line, out var type) && type.SequenceEqual("message_update"u8) && JsonLine.HasObjectForm(line)) return 1;
        if (!Fields.TryRead(line, values)) return 0;
        if (Fields.TryRead(line, values[1], values) && Usage.TryRead(line, values[2], usage)) return usage[0].Int64OrZero(line) + 1;
        return 1;
    }
}

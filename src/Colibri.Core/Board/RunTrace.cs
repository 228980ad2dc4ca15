namespace Colibri.Core.Board;

/// <summary>
/// A run as a span of a trace, by W3C Trace Context: the agent is told both ids in <c>TRACEPARENT</c>, so that what it traces itself stands below its run.
/// Both are lower-case hexadecimal and never all zeros.
/// </summary>
/// <param name="TraceId">16 bytes.</param>
/// <param name="SpanId">8 bytes.</param>
public sealed record RunTrace(string TraceId, string SpanId)
{
    private const int TraceBytes = 16;
    private const int SpanBytes = 8;

    // A version 4 UUID has random bytes but for these two, which hold its version and its variant.
    private const int VersionByte = 6;
    private const int VariantByte = 8;

    /// <summary>The value of <c>TRACEPARENT</c>: version 00, and the flag that the trace is recorded.</summary>
    public string Parent => $"00-{TraceId}-{SpanId}-01";

    /// <summary>Two new ids. The bytes come from the UUIDs of the class library, which needs no OpenSSL for them.</summary>
    public static RunTrace New()
    {
        Span<byte> bytes = stackalloc byte[TraceBytes + SpanBytes];
        Span<byte> uuid = stackalloc byte[16];
        for (var filled = 0; filled < bytes.Length;)
        {
            _ = Guid.NewGuid().TryWriteBytes(uuid, bigEndian: true, out _);
            for (var i = 0; i < uuid.Length && filled < bytes.Length; i++)
            {
                if (i is not (VersionByte or VariantByte))
                    bytes[filled++] = uuid[i];
            }
        }
        return new RunTrace(Convert.ToHexStringLower(bytes[..TraceBytes]), Convert.ToHexStringLower(bytes[TraceBytes..]));
    }
}

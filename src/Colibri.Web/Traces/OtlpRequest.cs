namespace Colibri.Web.Traces;

/// <summary>
/// Spans as <c>ExportTraceServiceRequest</c> of OTLP 1: the numbers of the fields are those of opentelemetry/proto/trace/v1/trace.proto,
/// common/v1/common.proto and resource/v1/resource.proto.
/// </summary>
internal static class OtlpRequest
{
    private const ulong InternalKind = 1;
    private const ulong ErrorStatus = 2;

    // Sampled, and that its parent is not of another service is known.
    private const uint Flags = 0x101;
    private const string Scope = "colibri-web";

    /// <summary>The body of one request.</summary>
    public static byte[] Of(IReadOnlyList<Span> spans, string service, string version)
    {
        var request = new ProtobufWriter();
        request.Message(1, resourceSpans =>
        {
            resourceSpans.Message(1, resource => Attribute(resource, 1, new SpanAttribute("service.name", service)));
            resourceSpans.Message(2, scopeSpans =>
            {
                scopeSpans.Message(1, scope =>
                {
                    scope.Text(1, Scope);
                    scope.Text(2, version);
                });
                foreach (var span in spans)
                    scopeSpans.Message(2, written => Write(written, span));
            });
        });
        return request.Written.ToArray();
    }

    private static void Write(ProtobufWriter written, Span span)
    {
        written.Bytes(1, span.TraceId);
        written.Bytes(2, span.SpanId);
        if (span.ParentId is { } parent)
            written.Bytes(4, parent);
        written.Text(5, span.Name);
        written.Number(6, InternalKind);
        written.Fixed64(7, Nanoseconds(span.Start));
        written.Fixed64(8, Nanoseconds(span.End));
        foreach (var attribute in span.Attributes)
            Attribute(written, 9, attribute);
        if (span.IsError)
            written.Message(15, status => status.Number(3, ErrorStatus));
        written.Fixed32(16, Flags);
    }

    private static void Attribute(ProtobufWriter written, int field, SpanAttribute attribute) => written.Message(field, pair =>
    {
        pair.Text(1, attribute.Name);
        pair.Message(2, value =>
        {
            if (attribute.Text is { } text)
                value.Text(1, text);
            else
                value.Number(3, (ulong)attribute.Number);
        });
    });

    private static ulong Nanoseconds(DateTimeOffset at) => (ulong)Math.Max(0, (at - DateTimeOffset.UnixEpoch).Ticks) * TimeSpan.NanosecondsPerTick;
}

using System.Runtime.CompilerServices;
using Colibri.Jsonl;

namespace Colibri.Core.Panes.Dialects;

/// <summary>A dialect whose events are told apart by their <c>type</c>.</summary>
internal abstract class LineDialect(KnownEvents events) : IDialect
{
    private const int FirstTypeOffset = 9;

    private static readonly JsonFields TypeField = new("type");

    public bool Read(ReadOnlySpan<byte> line, bool truncated, IEventSink sink, LineLook look = default)
    {
        if (!truncated && (look.Form == LineForm.Fault || (look.Form == LineForm.Unseen && !JsonLine.HasObjectForm(line)))) return false;
        if (!JsonLine.TryReadFirstType(line, look, out var type)) return ReadTypeAnywhere(line, truncated, look, sink);
        return events.Find(type) is { } known
            ? ReadKnown(line, known, truncated, look, sink)
            : EmitUnknown(line, sink, truncated, new JsonValue(ValueKind.String, HasEscapes: false, FirstTypeOffset, type.Length));
    }

    private bool ReadTypeAnywhere(ReadOnlySpan<byte> line, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> found = stackalloc JsonValue[1];
        if (!(truncated ? TypeField.TryRead(line, found) || found[0].IsString : TypeField.TryRead(line, look, found))) return false;
        if (!found[0].IsString) return EmitUnknown(line, sink, truncated, default);
        return events.Find(found[0].Raw(line)) is { } known ? ReadKnown(line, known, truncated, look, sink) : EmitUnknown(line, sink, truncated, found[0]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadKnown(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        if (known.Detail != 0) return ReadDetail(line, known, truncated, look, sink);
        sink.On(line, known.Plain);
        return true;
    }

    // A method of its own: an AgentEvent on the stack is cleared on entry, and most lines need none.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool EmitUnknown(ReadOnlySpan<byte> line, IEventSink sink, bool truncated, JsonValue name) =>
        Emit(line, sink, new AgentEvent { UnknownName = name, IsPartial = truncated });

    /// <summary>Reads an event that has details. A line that is not truncated has the form of an object; the method checks everything else.</summary>
    protected abstract bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink);

    /// <summary>Reads the fields of an event, exactly; of a truncated line, those that are left.</summary>
    protected static bool TryReadFields(JsonFields fields, ReadOnlySpan<byte> line, bool truncated, LineLook look, Span<JsonValue> values) =>
        truncated ? fields.TryRead(line, values) || truncated : fields.TryRead(line, look, values);

    /// <summary>Whether a field that is not there may have been: objects at that level may have lost fields, or may be missing themselves.</summary>
    /// <param name="truncated">Something of the line was left out.</param>
    /// <param name="look">Says where, if that is known.</param>
    /// <param name="level">The level of the object; the line's own is 1.</param>
    protected static bool MayLack(bool truncated, LineLook look, int level) => truncated && look.CutLevel <= level;

    /// <summary>Whether words of the assistant may be in what was left out.</summary>
    /// <param name="line">The line.</param>
    /// <param name="content">What is left of the content.</param>
    /// <param name="truncated">Something of the line was left out.</param>
    /// <param name="look">Says where, if that is known.</param>
    /// <param name="level">The level of the object that has the content.</param>
    protected static bool MayLackWords(ReadOnlySpan<byte> line, JsonValue content, bool truncated, LineLook look, int level) => content.Kind == ValueKind.Array
        ? MayLack(truncated, look, level + 1) || (truncated && ContentText.LacksText(line, content))
        : !content.Exists && MayLack(truncated, look, level);

    protected static bool Emit(ReadOnlySpan<byte> line, IEventSink sink, in AgentEvent agentEvent)
    {
        sink.On(line, agentEvent);
        return true;
    }

    /// <summary>The cost that the agent reports; null if it reports none.</summary>
    internal static long? Microcents(ReadOnlySpan<byte> line, JsonValue usd) =>
        usd.Kind == ValueKind.Number && DecimalUsd.TryParseMicrocents(usd.Raw(line), out var microcents) ? UsageReport.Reported(microcents) : null;

    /// <summary>An HTTP status; 0 for any other value.</summary>
    protected static int Status(ReadOnlySpan<byte> line, JsonValue status) => status.TryGetInt64(line, out var code) && code is >= 100 and <= 599 ? (int)code : 0;

    /// <summary>A count of tokens; 0 for any other value.</summary>
    internal static long Count(ReadOnlySpan<byte> line, JsonValue tokens) => UsageReport.Reported(tokens.Int64OrZero(line));
}

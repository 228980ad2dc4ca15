namespace Colibri.Jsonl;

/// <summary>Answers about a whole line that are much cheaper than reading it.</summary>
public static class JsonLine
{
    /// <summary>
    /// The string under <c>type</c> where that is the object's first key, read without looking at the rest of the line. False where another key
    /// comes first, the string has escapes, or white space stands in between: then the line has to be read whole.
    /// </summary>
    public static bool TryReadFirstType(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> type) => TryReadFirstType(line, default, out type);

    /// <summary>The same, with what the line's framing has learned of it.</summary>
    public static bool TryReadFirstType(ReadOnlySpan<byte> line, LineLook look, out ReadOnlySpan<byte> type)
    {
        type = default;
        var prefix = "{\"type\":\""u8;
        if (!line.StartsWith(prefix)) return false;
        var hasEscapes = false;
        var end = look.IsMarked ? look.StringEnd(prefix.Length) : JsonScan.StringEnd(line, prefix.Length, out hasEscapes);
        if (end < 0 || hasEscapes || look.HasEscapes(line, prefix.Length, end)) return false;
        type = line[prefix.Length..end];
        return true;
    }

    /// <summary>Whether the whole line is one well-formed JSON object, exactly.</summary>
    public static bool IsWellFormedObject(ReadOnlySpan<byte> line)
    {
        var reader = new JsonLineReader(line);
        return reader.Value.Kind == ValueKind.Object && reader.Finish();
    }

    /// <summary>
    /// Whether the line has the outer form of one JSON object, 64 bytes at a time. Never false for a well-formed object.
    /// </summary>
    /// <remarks>
    /// <para>Found as exactly as by a whole reading: invalid UTF-8; strings left open, with control bytes or with broken escapes; brackets that
    /// do not close in the order they opened, or are never closed, or nest deeper than <see cref="JsonLineReader.MaxDepth"/>; anything after
    /// the object, such as a second one without a newline between; a line cut off anywhere.</para>
    /// <para>Not found: faults between the strings and brackets, such as a missing comma or colon, a misspelt literal, a broken number, a name
    /// that is no string.</para>
    /// </remarks>
    public static bool HasObjectForm(ReadOnlySpan<byte> line) => HasObjectForm(line, stackalloc ulong[1], out _);

    /// <summary>The same, and marks the line's strings on the way.</summary>
    /// <param name="line">A whole line.</param>
    /// <param name="marks">See <see cref="LineFramer"/>.</param>
    /// <param name="look">What was learned, for reading the line's fields.</param>
    internal static bool HasObjectForm(ReadOnlySpan<byte> line, Span<ulong> marks, out LineLook look)
    {
        look = new LineLook(line, marks, out var length);
        if (length == line.Length && look.Form != LineForm.Unseen) return look.Form == LineForm.Object;
        look = default;
        return IsWellFormedObject(line);
    }
}

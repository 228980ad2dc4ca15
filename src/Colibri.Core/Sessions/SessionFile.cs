using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions;

/// <summary>
/// The files of a session: <c>&lt;session-id&gt;/&lt;generation&gt;.jsonl</c>, four digits or more, <c>0001.jsonl</c> first. The highest
/// generation is live, the others are read-only history.
/// </summary>
internal static class SessionFile
{
    public const int FirstGeneration = 1;

    public const UnixFileMode LiveMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    public const UnixFileMode SealedMode = UnixFileMode.UserRead | UnixFileMode.GroupRead;

    private const int ChunkBytes = 256 * 1024;

    public static string PathOf(string directory, int generation) =>
        Path.Combine(directory, generation.ToString("D4", CultureInfo.InvariantCulture) + ".jsonl");

    /// <summary>The path at which the next generation is written before it is renamed; <see cref="Generations"/> does not list it.</summary>
    public static string TemporaryOf(string directory, int generation) => PathOf(directory, generation) + ".tmp";

    /// <summary>Generations on disk, ascending; empty where there is none.</summary>
    public static List<int> Generations(string directory)
    {
        var generations = new List<int>();
        if (!Directory.Exists(directory))
            return generations;
        try
        {
            foreach (var file in Directory.EnumerateFiles(directory, "*.jsonl"))
            {
                if (int.TryParse(Path.GetFileNameWithoutExtension(file), NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
                    generations.Add(generation);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // It was pruned meanwhile.
            return [];
        }
        generations.Sort();
        return generations;
    }

    /// <summary>Reads the entries of one generation, without a last line that lacks its newline: it is still being written, or torn.</summary>
    /// <param name="path">The file.</param>
    /// <param name="unreadable">Called for each whole line that is no entry.</param>
    public static IEnumerable<SessionEntry> Read(string path, Action? unreadable = null)
    {
        foreach (var line in Lines(path))
        {
            if (TryParse(line.Span) is { } entry)
                yield return entry;
            else
                unreadable?.Invoke();
        }
    }

    /// <summary>Walks a live generation to find the place and number of the next append.</summary>
    public static SessionTail Scan(string path)
    {
        long seq = 0, turns = 0, position = 0, whole = 0;
        foreach (var line in Lines(path))
        {
            position += line.Length + 1;
            // A damaged line that whole ones follow is not the tail; cutting there would lose them.
            if (TryParse(line.Span) is not { } entry)
                continue;
            whole = position;
            // The last line need not have the highest number: a line that was not written by us may lack one, and kept entries follow the
            // compaction entry, whose number is higher than theirs.
            seq = Math.Max(seq, entry.Seq);
            turns = entry.Kind is SessionEntryKind.Compaction ? 0 : IsTurn(entry.Kind) ? turns + 1 : turns;
        }
        return new SessionTail(seq, turns, whole, new FileInfo(path).Length - whole);
    }

    public static bool IsTurn(SessionEntryKind kind) => kind is SessionEntryKind.User or SessionEntryKind.Assistant;

    /// <summary>Every whole entry of one generation, with its bytes in the file.</summary>
    public static List<LoggedEntry> Load(string path)
    {
        var entries = new List<LoggedEntry>();
        ReadOnlyMemory<byte> rest = File.ReadAllBytes(path);
        int length;
        while ((length = rest.Span.IndexOf((byte)'\n')) >= 0)
        {
            if (TryParse(rest.Span[..length]) is { } entry)
                entries.Add(new LoggedEntry(entry, rest[..(length + 1)]));
            rest = rest[(length + 1)..];
        }
        return entries;
    }

    /// <summary>Adds one entry's line, newline included.</summary>
    public static void WriteLine(IBufferWriter<byte> lines, SessionEntry entry)
    {
        using (var writer = new Utf8JsonWriter(lines, new JsonWriterOptions { Encoder = ProtocolJson.Wire.Options.Encoder, SkipValidation = true }))
            JsonSerializer.Serialize(writer, entry, ProtocolJson.Wire.SessionEntry);
        lines.Write("\n"u8);
    }

    /// <summary>The entry of a line; null where it is none.</summary>
    public static SessionEntry? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ProtocolJson.Wire.SessionEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var buffer = new byte[ChunkBytes];
        var filled = 0;
        while (true)
        {
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var read = stream.Read(buffer, filled, buffer.Length - filled);
            if (read == 0)
                yield break;
            filled += read;
            var start = 0;
            int length;
            while ((length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0)
            {
                yield return buffer.AsMemory(start, length);
                start += length + 1;
            }
            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
        }
    }
}

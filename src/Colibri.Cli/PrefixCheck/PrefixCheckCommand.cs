using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;

namespace Colibri.Cli.PrefixCheck;

/// <summary>
/// Reads recorded request bodies and says where each stops beginning as the one before did: what to look at when a provider's cache
/// is hit less. Needs no daemon. Holds two requests at a time.
/// </summary>
internal static class PrefixCheckCommand
{
    private const long MaxLineBytes = 64 * 1024 * 1024;
    private const int MaxReported = 1_000;
    private const int Indent = 4;

    public static Task<int> RunAsync(CliSession session, string path)
    {
        if (path.Length == 0)
            throw new UsageException("--stream '' is no path", "prefix-check");
        var tally = new Tally();
        using var stream = Readable(path, () => path == "-" ? Console.OpenStandardInput() : new FileStream(path, FileMode.Open, FileAccess.Read));
        Check(stream, path, tally, comparison => Report(session, tally, comparison), session.Cancellation);
        if (session.Json)
            session.Screen.Raw(Json(tally));
        else
            Summarise(session.Screen, tally);
        return Task.FromResult(tally.Breaks == 0 ? ExitCodes.Done : ExitCodes.Refused);
    }

    // Only the reading: a reader of ours that has gone away is another matter than a file that cannot be read.
    private static T Readable<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot read {path}: {e.Message}", "prefix-check");
        }
    }

    private static void Check(Stream stream, string path, Tally tally, Action<PrefixComparison> report, CancellationToken cancellation)
    {
        RequestPrefix? before = null;
        try
        {
            foreach (var (number, line) in Lines(stream, path, tally, cancellation))
            {
                RequestPrefix request;
                try
                {
                    request = RequestPrefix.Parse(line, number);
                }
                // Not JSON, or JSON whose text is no Unicode.
                catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
                {
                    tally.Skip(number);
                    continue;
                }
                tally.Requests++;
                tally.Bytes += request.Bytes;
                if (before is not null)
                    report(request.CompareTo(before));
                before?.Dispose();
                before = request;
            }
        }
        finally
        {
            before?.Dispose();
        }
    }

    private static IEnumerable<(int Number, ReadOnlyMemory<byte> Line)> Lines(
        Stream stream, string path, Tally tally, CancellationToken cancellation)
    {
        var line = new ArrayBufferWriter<byte>(64 * 1024);
        var buffer = new byte[64 * 1024];
        var number = 1;
        var isTooLong = false;
        while (Readable(path, () => stream.Read(buffer)) is > 0 and var read)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var rest = buffer.AsMemory(0, read); !rest.IsEmpty;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                var part = end < 0 ? rest : rest[..end];
                isTooLong |= line.WrittenCount + part.Length > MaxLineBytes;
                if (!isTooLong)
                    line.Write(part.Span);
                rest = end < 0 ? default : rest[(end + 1)..];
                if (end < 0)
                    continue;
                if (isTooLong)
                    tally.Skip(number);
                else if (!IsBlank(line.WrittenSpan))
                    yield return (number, line.WrittenMemory);
                (number, isTooLong) = (number + 1, false);
                line.ResetWrittenCount();
            }
        }
        if (isTooLong)
            tally.Skip(number);
        else if (!IsBlank(line.WrittenSpan))
            yield return (number, line.WrittenMemory);
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;

    private static void Report(CliSession session, Tally tally, PrefixComparison comparison)
    {
        tally.Add(comparison);
        if (session.Json || tally.Breaks > MaxReported)
            return;
        var screen = session.Screen;
        if (comparison.Break is not { } where)
        {
            screen.Line($"line {comparison.Line}: all {Words.Number(comparison.BytesBefore)} bytes of the request before come again");
            return;
        }
        screen.Line(screen.Paint(
            $"line {comparison.Line}: breaks after {Words.Number(comparison.SharedBytes)} of {Words.Number(comparison.BytesBefore)} bytes", Tone.Attention));
        screen.Line($"    at  {Columns.Cut(Words.Plain(where.Path), screen.Width - Indent - 4)}");
        screen.Line($"    was {Columns.Cut(Words.Plain(where.Was), screen.Width - Indent - 4)}");
        screen.Line($"    now {Columns.Cut(where.Now is { } now ? Words.Plain(now) : "(the request ends here)", screen.Width - Indent - 4)}");
    }

    private static void Summarise(Screen screen, Tally tally)
    {
        foreach (var number in tally.Skipped)
            screen.Line(screen.Paint($"line {number}: skipped, it is no JSON object of at most 64 MiB", Tone.Attention));
        if (tally.Breaks > MaxReported)
            screen.Line($"only the first {Words.Number(MaxReported)} breaks are shown");
        var skipped = tally.SkippedCount > 0 ? $", {Words.Count(tally.SkippedCount, "line")} skipped" : "";
        screen.Line($"{Words.Count(tally.Requests, "request")}, {Words.Count(tally.Breaks, "break")}{skipped}");
        if (tally.Requests > 1)
        {
            var share = (tally.Share * 100).ToString("0.0", CultureInfo.InvariantCulture);
            screen.Line($"{share} % of {Words.Bytes(tally.Bytes)} of prompts could come from a cache");
        }
    }

    private static ReadOnlyMemory<byte> Json(Tally tally)
    {
        var json = new ArrayBufferWriter<byte>(1_024);
        using var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteNumber("requests", tally.Requests);
        writer.WriteNumber("breaks", tally.Breaks);
        writer.WriteNumber("bytes", tally.Bytes);
        writer.WriteNumber("shared_bytes", tally.SharedBytes);
        writer.WriteNumber("cacheable_share", Math.Round(tally.Share, 4));
        writer.WriteStartArray("skipped_lines");
        foreach (var number in tally.Skipped)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
        writer.WriteStartArray("broken");
        foreach (var comparison in tally.Broken)
        {
            writer.WriteStartObject();
            writer.WriteNumber("line", comparison.Line);
            writer.WriteNumber("bytes_before", comparison.BytesBefore);
            writer.WriteNumber("shared_bytes", comparison.SharedBytes);
            writer.WriteString("path", comparison.Break!.Path);
            writer.WriteString("was", comparison.Break.Was);
            if (comparison.Break.Now is { } now)
                writer.WriteString("now", now);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }

    /// <summary>What has been seen so far; lists stop growing at <see cref="MaxReported"/>.</summary>
    private sealed class Tally
    {
        public List<int> Skipped { get; } = [];
        public List<PrefixComparison> Broken { get; } = [];
        public long Requests { get; set; }
        public long Bytes { get; set; }
        public long Breaks { get; private set; }
        public long SkippedCount { get; private set; }
        public long SharedBytes { get; private set; }

        /// <summary>Of all bytes sent, 0 to 1.</summary>
        public double Share => Bytes == 0 ? 0 : (double)SharedBytes / Bytes;

        public void Skip(int line)
        {
            SkippedCount++;
            if (Skipped.Count < MaxReported)
                Skipped.Add(line);
        }

        public void Add(PrefixComparison comparison)
        {
            SharedBytes += comparison.SharedBytes;
            if (comparison.Break is null)
                return;
            Breaks++;
            if (Broken.Count < MaxReported)
                Broken.Add(comparison);
        }
    }
}

/// <summary>Where a request departs from the one before.</summary>
/// <param name="Path">In the request's JSON: <c>messages[3].content</c>.</param>
/// <param name="Was">What stood there in the earlier request, with a few characters around.</param>
/// <param name="Now">What stands there in the later one; null where it has ended.</param>
internal sealed record PrefixBreak(string Path, string Was, string? Now);

/// <summary>Two consecutive requests beside each other.</summary>
/// <param name="Line">The later one's line, from 1.</param>
/// <param name="BytesBefore">Of the earlier request's prompt.</param>
/// <param name="Bytes">Of the later request's prompt.</param>
/// <param name="SharedBytes">With which both begin: what a cache can serve.</param>
/// <param name="Break">Where they part before the earlier one's end; null where the later one only adds to it.</param>
internal sealed record PrefixComparison(int Line, long BytesBefore, long Bytes, long SharedBytes, PrefixBreak? Break);

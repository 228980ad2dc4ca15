using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;

namespace Colibri.UnitTests.Sessions;

/// <summary>A directory for sessions, and what lies in it.</summary>
internal sealed class SessionFixture : IDisposable
{
    private const int TailCut = 500;
    private const int WriteFailed = 501;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-sessions-").FullName;

    public string Root => Path.Combine(_directory, "sessions");

    public ManualTime Time { get; } = new();

    public CollectingLogger Logger { get; } = new();

    public IReadOnlyList<string> TailsCut => Logger.Of(TailCut);

    public IReadOnlyList<string> WritesFailed => Logger.Of(WriteFailed);

    /// <summary>The widest mode: what is tested here is the log, not the limits on it.</summary>
    public CostControl Cost { get; } = new(CostMode.Max, new EventHub(TimeProvider.System));

    public SessionStore Open() => new(Root, Cost, Time, Logger);

    public string FileOf(string session, int generation = 1) => Path.Combine(Root, session, $"{generation:D4}.jsonl");

    public string[] LinesOf(string session, int generation = 1) => File.ReadAllLines(FileOf(session, generation));

    public long[] SeqsOf(string session) => [.. Open().Read(session, all: true)!.Entries.Select(entry => entry.Seq)];

    /// <summary>A generation as another daemon would have left it.</summary>
    public void Write(string session, int generation, string text)
    {
        Directory.CreateDirectory(Path.Combine(Root, session));
        File.WriteAllText(FileOf(session, generation), text);
    }

    public static string Line(long seq, string text = "x", string kind = "note") =>
        $$"""{"seq":{{seq}},"ts":"2026-11-22T06:07:10.893Z","kind":"{{kind}}","text":"{{text}}"}""" + "\n";

    public static SessionEntry Note(string text) => new() { Kind = SessionEntryKind.Note, Text = text };

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}

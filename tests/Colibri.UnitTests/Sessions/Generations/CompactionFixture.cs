using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Generations;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Sessions.Generations;

/// <summary>A store in a folder of its own, in a cost mode.</summary>
internal sealed class CompactionFixture : IDisposable
{
    public const string Id = "s";

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-sessions-").FullName;

    public CompactionFixture(CostMode mode = CostMode.Smart, Action<string, SessionStep>? atStep = null, int remembered = SessionStore.RememberedSessions)
    {
        Cost = new CostControl(mode, Events);
        Store = Open(Root, Cost, atStep, remembered);
    }

    public EventHub Events { get; } = new(TimeProvider.System);

    public CostControl Cost { get; }

    public SessionStore Store { get; }

    public string Root => Path.Combine(_directory, "sessions");

    public static SessionStore Open(string root, CostControl cost, Action<string, SessionStep>? atStep = null, int remembered = SessionStore.RememberedSessions) =>
        new(root, cost, TimeProvider.System, NullLogger.Instance) { AtStep = atStep, RememberedLimit = remembered };

    public string FileOf(int generation) => SessionFile.PathOf(Path.Combine(Root, Id), generation);

    public string NewFolder(string name) => Path.Combine(_directory, name);

    public Task<AppendReceipt> AppendAsync(SessionEntryKind kind, string text) =>
        Store.AppendAsync(Id, new SessionEntry { Kind = kind, Text = text, Tool = kind is SessionEntryKind.ToolResult ? "bash" : null });

    public IReadOnlyList<SessionEntry> Live() => Store.Read(Id, all: false)!.Entries;

    public IReadOnlyList<SessionEntry> All() => Store.Read(Id, all: true)!.Entries;

    /// <summary>The contract on an answered append, checked on what the disk holds.</summary>
    public void ShouldBeWithinLimits(AppendReceipt receipt)
    {
        var generation = Store.List(1)[0].Generation;
        var tail = SessionFile.Scan(FileOf(generation));
        tail.TornBytes.ShouldBe(0);
        if (receipt.OverBudget is true)
        {
            Cost.State.Mode.ShouldBe(CostMode.Max);
            Live()[^1].Kind.ShouldBe(SessionEntryKind.Escalation);
            return;
        }
        Cost.Limits.Allow(tail.Bytes, tail.Turns).ShouldBeTrue($"{tail} in mode {Cost.State.Mode}");
        (receipt.Generation, receipt.Bytes, receipt.Turns).ShouldBe((generation, tail.Bytes, tail.Turns));
    }

    public static void ShouldHaveNoGap(IReadOnlyList<SessionEntry> all) =>
        all.Select(entry => entry.Seq).ShouldBe(Enumerable.Range(1, all.Count).Select(seq => (long)seq));

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}

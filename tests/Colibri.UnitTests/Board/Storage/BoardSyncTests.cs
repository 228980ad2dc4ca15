using System.Collections.Concurrent;
using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board.Storage;

/// <summary>What is answered was on the disk before; what the disk does not keep is not answered as kept.</summary>
public sealed class BoardSyncTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _mayEnd = new(0);
    private readonly SemaphoreSlim _begun = new(0);
    private readonly ConcurrentQueue<Action> _fates = new();

    [Test]
    public async Task An_answer_comes_after_a_sync_that_began_after_its_commit()
    {
        await using var fixture = new BoardFixture { Syncing = Hold };
        var first = fixture.Create("first");
        await Begun();
        // The sync under way began before this is committed: it may not take it along.
        var second = fixture.Create("second");
        await Eventually(() => fixture.Number("SELECT count(*) FROM tasks") == 2);
        first.IsCompleted.ShouldBeFalse();

        _mayEnd.Release();
        await first;
        await Begun();
        second.IsCompleted.ShouldBeFalse();

        _mayEnd.Release();
        await second;
        _mayEnd.Release(1000);
    }

    [Test]
    public async Task An_agents_start_and_its_process_are_on_record_without_waiting_for_the_disk()
    {
        await using var fixture = new BoardFixture { Syncing = Hold };
        var create = fixture.Create();
        await Begun();
        var id = fixture.Changes.ShouldHaveSingleItem().Id;

        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await fixture.Board.ProcessStartedAsync("a", 1, 1, "boot"))!.Status.ShouldBe(TaskState.Started);

        create.IsCompleted.ShouldBeFalse();
        var end = fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done });
        await Eventually(() => fixture.Board.Counts.Done == 1);
        end.IsCompleted.ShouldBeFalse();
        _mayEnd.Release(1000);
        (await end)!.Status.ShouldBe(TaskState.Done);
        await create;
    }

    [Test]
    public async Task An_answer_that_tells_of_what_is_not_on_the_disk_yet_waits_as_well()
    {
        await using var fixture = new BoardFixture { Syncing = Hold };
        var create = fixture.Create(key: "k");
        await Begun();
        // It writes nothing, and would answer the other's task.
        var same = fixture.Create(key: "k");
        await fixture.Board.CommitAsync(_ => true);
        same.IsCompleted.ShouldBeFalse();

        _mayEnd.Release(1000);
        (await same).Id.ShouldBe((await create).Id);
    }

    [Test]
    public async Task A_sync_that_fails_refuses_what_was_committed_since_the_last_and_no_more()
    {
        await using var fixture = new BoardFixture { Syncing = Fate };
        await fixture.Create("kept");
        var held = HoldNext();
        FailNext();
        var before = fixture.Create("synced");
        await Begun();
        var refused = Enumerable.Range(0, 20).Select(n => fixture.Create($"refused {n}")).ToList();
        await Eventually(() => fixture.Board.Counts.Queued == 22);
        held.Set();

        await before;
        foreach (var create in refused)
        {
            (await Should.ThrowAsync<BoardUnavailableException>(() => create)).Message.ShouldBe(
                $"the board {fixture.Path} cannot be used now: its disk did not keep what was written (on purpose); "
                + "check the disk, see what is on the board, and try again");
        }
        await fixture.Create("later");

        fixture.Board.Trouble.ShouldBeNull();
        // Readers and subscribers have seen them: they stay, and the counts with them.
        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(23);
        fixture.Board.Counts.Queued.ShouldBe(23);
    }

    [Test]
    public async Task What_was_committed_behind_a_sync_that_then_fails_is_refused_as_well()
    {
        await using var fixture = new BoardFixture { Syncing = Fate };
        await fixture.Create("kept");
        using var held = new ManualResetEventSlim();
        _fates.Enqueue(() =>
        {
            _begun.Release();
            held.Wait(Deadline);
            throw new IOException("on purpose");
        });
        var lost = fixture.Create("lost");
        await Begun();
        // It stands in the log behind what may be gone: a sync of its own would not make it durable.
        var behind = fixture.Create("behind");
        await Eventually(() => fixture.Board.Counts.Queued == 3);
        await fixture.Board.CommitAsync(_ => true);
        held.Set();

        await Should.ThrowAsync<BoardUnavailableException>(() => lost);
        await Should.ThrowAsync<BoardUnavailableException>(() => behind);
        await fixture.Create("later");
    }

    [Test]
    public async Task Until_the_disk_takes_the_log_again_nothing_is_written_and_all_is_readable()
    {
        await using var fixture = new BoardFixture { Syncing = Fate };
        var kept = await fixture.Create("kept");
        using var well = new ManualResetEventSlim();
        FailUntil(well);
        await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Create("committed"));

        (await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Create("never"))).Message.ShouldContain("did not keep");
        await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Board.CommitAsync(_ => true));
        fixture.Board.Trouble.ShouldNotBeNull().ShouldContain("did not keep");
        (await fixture.Get(kept)).Title.ShouldBe("kept");

        well.Set();
        await fixture.Create("later");
        (await fixture.Board.ListAsync(null, 10, null)).Tasks.Select(task => task.Title).ShouldBe(["kept", "committed", "later"]);
        fixture.Board.Trouble.ShouldBeNull();
    }

    [Test]
    public async Task What_the_kernel_has_forgotten_after_a_failed_sync_is_cut_off_before_more_is_written_behind_it()
    {
        await using var fixture = new BoardFixture { Syncing = Fate };
        await fixture.Create("kept");
        _fates.Enqueue(() =>
        {
            using var log = new FileStream(fixture.Path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            log.Seek(-100, SeekOrigin.End);
            log.Write(new byte[100]);
            throw new IOException("on purpose");
        });
        await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Create("forgotten"));
        await fixture.Create("later");

        fixture.Board.Counts.Queued.ShouldBe(2);
        await fixture.Reopen();
        (await fixture.Board.ListAsync(null, 10, null)).Tasks.Select(task => task.Title).ShouldBe(["kept", "later"]);
    }

    [Test]
    public async Task Closing_waits_for_the_sync_of_what_was_accepted()
    {
        await using var fixture = new BoardFixture { Syncing = Hold };
        var create = fixture.Create();
        await Begun();
        var closed = fixture.Board.DisposeAsync().AsTask();
        create.IsCompleted.ShouldBeFalse();
        closed.IsCompleted.ShouldBeFalse();
        _mayEnd.Release(1000);
        await create;
        await closed;
    }

    [Test]
    public async Task The_writer_waits_while_as_much_is_unsynced_as_may_be()
    {
        var directory = Directory.CreateTempSubdirectory("colibri-sync-").FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "board-wal"), "", TestContext.Current!.Execution.CancellationToken);
        var sync = new BoardSync(Path.Combine(directory, "board"), Hold, (operation, refusal) => operation.Fail(refusal), () => { });
        var operations = Enumerable.Range(0, BoardSync.Capacity).Select(_ => new Operation<int>(_ => 1, waitsForSync: true)).ToList();
        sync.Add([(operations[0], null)]);
        await Begun();
        sync.Add([.. operations.Skip(1).SkipLast(1).Select(operation => ((Operation)operation, (Exception?)null))]);
        // One is missing to the full number: no reason to wait yet.
        sync.AwaitRoom();
        sync.Add([(operations[^1], null)]);
        var released = false;
        var awaited = Task.Run(() =>
        {
            sync.AwaitRoom();
            return Volatile.Read(ref released);
        }, TestContext.Current!.Execution.CancellationToken);
        Volatile.Write(ref released, true);
        _mayEnd.Release(1000);

        (await awaited).ShouldBeTrue();
        await Task.WhenAll(operations.Select(operation => operation.Answer));
        sync.End();
        Directory.Delete(directory, recursive: true);
    }

    public void Dispose()
    {
        _mayEnd.Dispose();
        _begun.Dispose();
    }

    private void Hold()
    {
        _begun.Release();
        // Within a deadline: a test that fails must not hang in the board's closing.
        _mayEnd.Wait(Deadline);
    }

    private void Fate()
    {
        if (_fates.TryDequeue(out var fate))
            fate();
    }

    private ManualResetEventSlim HoldNext()
    {
        var held = new ManualResetEventSlim();
        _fates.Enqueue(() =>
        {
            _begun.Release();
            held.Wait(Deadline);
        });
        return held;
    }

    private void FailNext() => _fates.Enqueue(() => throw new IOException("on purpose"));

    private void FailUntil(ManualResetEventSlim well) => _fates.Enqueue(() =>
    {
        if (well.IsSet)
            return;
        FailUntil(well);
        throw new IOException("on purpose");
    });

    private async Task Begun() => (await _begun.WaitAsync(Deadline)).ShouldBeTrue("a sync begins");

    private static async Task Eventually(Func<bool> holds)
    {
        var until = DateTime.UtcNow + Deadline;
        while (!holds())
        {
            (DateTime.UtcNow < until).ShouldBeTrue("it holds in time");
            await Task.Yield();
        }
    }
}

using System.Runtime.Versioning;
using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.UnitTests.Board.Storage;

public sealed class BoardStorageTests
{
    [Test]
    public async Task Reopening_sees_everything()
    {
        await using var fixture = new BoardFixture();
        var states = Enum.GetValues<TaskState>();
        var before = new List<BoardTask>();
        foreach (var state in states)
            before.Add(await fixture.CreateIn(state));
        var counts = fixture.Board.Counts;

        var board = await fixture.Reopen();

        board.Counts.ShouldBe(counts);
        board.Counts.ShouldBe(new StatusTasks(1, 1, 1, 1, 1, 1));
        (await board.ListAsync(null, 100, null)).Tasks.Select(task => (task.Id, task.Status)).ShouldBe(before.Select(task => (task.Id, task.Status)));
    }

    [Test]
    public async Task A_read_begun_after_an_answered_write_sees_it()
    {
        await using var fixture = new BoardFixture();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var n = 0; n < 50; n++)
            {
                var task = await fixture.Create();
                (await fixture.Board.GetAsync(task.Id)).ShouldNotBeNull();
                await fixture.Board.ClaimAsync(task.Id, "a");
                (await fixture.Board.GetAsync(task.Id))!.Status.ShouldBe(TaskState.Claimed);
            }
        })));
    }

    [Test]
    public async Task A_second_daemon_is_kept_out_until_the_first_lets_go()
    {
        await using var fixture = new BoardFixture();
        await fixture.Create();

        var refusal = Should.Throw<BoardOpenException>(fixture.Open);

        refusal.Message.ShouldBe(
            $"the board {fixture.Path} is in use: another daemon holds {fixture.Path}.lock (its pid is in that file)");
        await fixture.Board.DisposeAsync();
        await using var second = fixture.Open();
        second.Counts.Queued.ShouldBe(1);
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public async Task A_new_board_is_open_to_its_owner_and_readable_by_its_group_alone()
    {
        await using var fixture = new BoardFixture();
        var path = Path.Combine(Path.GetDirectoryName(fixture.Path)!, "deep", "down", "board.sqlite");
        await using var board = TaskBoard.Open(new BoardOptions { Path = path });
        await board.CreateAsync(new NewTask { Title = "x" });
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute | UnixFileMode.GroupWrite;
        foreach (var file in (string[])[Path.GetDirectoryName(path)!, path, path + "-wal", path + "-shm", path + ".lock"])
            (File.GetUnixFileMode(file) & Others).ShouldBe(UnixFileMode.None, file);
        (File.GetUnixFileMode(path) & UnixFileMode.UserExecute).ShouldBe(UnixFileMode.None);
    }

    [Test]
    public async Task Garbage_is_refused_and_left_as_it_was()
    {
        await using var fixture = new BoardFixture();
        var garbage = new byte[10_000];
        new Random(7).NextBytes(garbage);
        await File.WriteAllBytesAsync(fixture.Path, garbage, TestContext.Current!.Execution.CancellationToken);

        Should.Throw<BoardOpenException>(fixture.Open).Message
            .ShouldBe($"{fixture.Path} is not a SQLite database: move it away, or set COLIBRI_DB_PATH to another file");

        (await File.ReadAllBytesAsync(fixture.Path, TestContext.Current!.Execution.CancellationToken)).ShouldBe(garbage);
        Should.Throw<BoardOpenException>(fixture.Open).Message.ShouldContain("not a SQLite database");
    }

    [Test]
    public async Task A_database_of_another_program_is_refused()
    {
        await using var fixture = new BoardFixture();
        Execute(fixture.Path, "CREATE TABLE moz_places (id INTEGER)");
        Should.Throw<BoardOpenException>(fixture.Open).Message.ShouldContain("not a Colibri board");
    }

    [Test]
    public async Task A_newer_version_is_refused_and_left_as_it_was()
    {
        await using var fixture = new BoardFixture();
        await fixture.Create();
        await fixture.Board.DisposeAsync();
        Execute(fixture.Path, "PRAGMA user_version = 99");

        Should.Throw<BoardOpenException>(fixture.Open).Message.ShouldBe(
            $"the board {fixture.Path} has version 99, this program knows {Migrations.All.Count}: run the newer program, or set COLIBRI_DB_PATH to another file");

        fixture.Number("PRAGMA user_version").ShouldBe(99);
    }

    [Test]
    public async Task A_board_of_version_1_is_brought_up_to_date_with_its_tasks()
    {
        await using var fixture = new BoardFixture();
        Execute(fixture.Path, Migrations.All[0]);
        Execute(fixture.Path, $"""
            PRAGMA user_version = 1;
            PRAGMA application_id = {Migrations.ApplicationId};
            INSERT INTO tasks (id, title, description, status, capabilities, priority, max_attempts, created_at, updated_at)
            VALUES ('old', 'from version 1', '', 'done', '["a"]', 0, 3, 1000, 2000);
            """);

        (await fixture.Board.GetAsync("old"))!.Title.ShouldBe("from version 1");
        fixture.Board.Counts.Done.ShouldBe(1);
        var registry = await Registry.LoadAsync(fixture.Board);
        await registry.RegisterSkillAsync(new Skill("s", "d", "c", default));
        (await registry.SkillsAsync()).Count.ShouldBe(1);
        fixture.Number("PRAGMA user_version").ShouldBe(Migrations.All.Count);
    }

    [Test]
    public async Task Migrations_are_taken_all_or_none()
    {
        await using var fixture = new BoardFixture();
        Execute(fixture.Path, "VACUUM");
        using (var connection = BoardConnection.OpenWriter(fixture.Path, busySeconds: 1))
        {
            Should.Throw<SqliteException>(() => Migrations.Apply(connection, fixture.Path, [Schema.Tasks, Schema.Registry, "CREATE NONSENSE"]));
            connection.InTransaction.ShouldBeFalse();
        }

        fixture.Number("SELECT count(*) FROM sqlite_schema").ShouldBe(0);
        fixture.Number("PRAGMA user_version").ShouldBe(0);
        (await fixture.Create()).Status.ShouldBe(TaskState.Queued);
    }

    [Test]
    public async Task A_place_that_cannot_be_written_is_named()
    {
        await using var fixture = new BoardFixture();
        var file = Path.Combine(Path.GetDirectoryName(fixture.Path)!, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current!.Execution.CancellationToken);
        var path = Path.Combine(file, "board.sqlite");
        var refusal = Should.Throw<BoardOpenException>(() => TaskBoard.Open(new BoardOptions { Path = path }));
        refusal.Message.ShouldStartWith($"cannot write the board {path}: ");
        refusal.Message.ShouldNotContain('\n');

        var directory = Directory.CreateDirectory(fixture.Path).FullName;
        Should.Throw<BoardOpenException>(fixture.Open).Message.ShouldStartWith($"cannot write the board {directory}: ");
    }

    [Test]
    public async Task A_closed_board_has_kept_what_it_accepted_and_refuses_more()
    {
        await using var fixture = new BoardFixture();
        var accepted = Enumerable.Range(0, 500).Select(_ => fixture.Create()).ToList();
        await fixture.Board.DisposeAsync();

        await Task.WhenAll(accepted);
        File.Exists(fixture.Path + "-wal").ShouldBeFalse();
        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(500);
        await Should.ThrowAsync<ObjectDisposedException>(() => fixture.Create());
        await Should.ThrowAsync<ObjectDisposedException>(() => fixture.Board.GetAsync("x"));
    }

    private static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}

using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board.Storage;

/// <summary>A board whose files are removed, moved or replaced while it is open.</summary>
public sealed class BoardHoldTests
{
    public enum Loss
    {
        Removed,
        Replaced,
        MadeADirectory,
        Moved,
        DirectoryRenamed,
        EveryFileRemoved,
    }

    [Test]
    [Arguments(Loss.Removed, "was removed")]
    [Arguments(Loss.Replaced, "a file was put in the place of")]
    [Arguments(Loss.MadeADirectory, "a directory was put in the place of")]
    [Arguments(Loss.Moved, "was moved to")]
    [Arguments(Loss.DirectoryRenamed, "was moved to")]
    [Arguments(Loss.EveryFileRemoved, "was removed")]
    public async Task Nothing_is_answered_as_written_that_would_not_be_found_again(Loss loss, string words)
    {
        await using var at = new Place();
        await using var board = at.Open();
        var kept = await board.CreateAsync(new NewTask { Title = "before" });
        (await board.GetAsync(kept.Id))!.Title.ShouldBe("before");
        board.LookAtFiles().ShouldBeEmpty();

        at.Do(loss);

        var refusal = await Should.ThrowAsync<BoardUnavailableException>(() => board.CreateAsync(new NewTask { Title = "after" }));
        refusal.Message.ShouldContain(words);
        refusal.Message.ShouldContain("restart the daemon");
        var told = board.LookAtFiles().ShouldHaveSingleItem();
        (told.What, told.Path).ShouldBe(("board", at.Path));
        told.State.ShouldBe(FileLook.At(at.Path).Identity is null ? StatusFile.Gone : StatusFile.Replaced);
        told.Reason.ShouldContain(words);
        (await board.GetAsync(kept.Id))!.Title.ShouldBe("before", "the connection that is open reads on");
    }

    [Test]
    public async Task A_board_that_is_put_back_goes_on_and_has_lost_nothing()
    {
        await using var at = new Place();
        await using (var board = at.Open())
        {
            await board.CreateAsync(new NewTask { Title = "before" });
            at.Do(Loss.Moved);
            await Should.ThrowAsync<BoardUnavailableException>(() => board.CreateAsync(new NewTask { Title = "lost" }));

            File.Move(at.Elsewhere, at.Path);

            board.LookAtFiles();
            await board.CreateAsync(new NewTask { Title = "after" });
            board.LookAtFiles().ShouldBeEmpty();
            board.Trouble.ShouldBeNull();
        }
        await at.ShouldHaveAsync("before", "after");
    }

    [Test]
    [Arguments("-wal")]
    [Arguments("-shm")]
    [Arguments("-wal -shm")]
    public async Task A_log_that_is_removed_is_made_anew_and_nothing_is_lost(string names)
    {
        await using var at = new Place();
        await using (var board = at.Open())
        {
            await board.CreateAsync(new NewTask { Title = "before" });
            await board.ListAsync(null, 10, null);
            foreach (var name in names.Split(' '))
                File.Delete(at.Path + name);

            await board.CreateAsync(new NewTask { Title = "after" });

            board.LookAtFiles().ShouldBeEmpty();
            File.Exists(at.Path + "-wal").ShouldBeTrue();
            at.Copy();
        }
        await at.ShouldHaveAsync("before", "after");
        await at.CopyShouldHaveAsync("before", "after");
    }

    [Test]
    public async Task A_log_that_is_removed_is_made_anew_although_nobody_writes()
    {
        await using var at = new Place();
        await using var board = at.Open();
        await board.CreateAsync(new NewTask { Title = "before" });
        File.Delete(at.Path + "-wal");

        board.LookAtFiles().ShouldHaveSingleItem().What.ShouldBe("board-log");

        Posix.Spawning.Shell.Until(() => File.Exists(at.Path + "-wal") && board.LookAtFiles().Count == 0, "it is made anew");
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_second_daemon_stays_out_although_the_lock_file_is_gone(bool replaced)
    {
        Skip.Unless(HostPlatform.Kind == OperatingSystemKind.Linux, "elsewhere the lock is the process's, which does not keep itself out");
        await using var at = new Place();
        await using var board = at.Open();
        File.Delete(at.Path + ".lock");
        if (replaced)
            File.WriteAllText(at.Path + ".lock", "1");

        Should.Throw<BoardOpenException>(at.Open).Message.ShouldContain("another daemon has it, although its lock file was removed or replaced");

        board.LookAtFiles().ShouldBeEmpty();
        Should.Throw<BoardOpenException>(at.Open).Message.ShouldContain("another daemon holds");
    }

    [Test]
    public async Task A_lock_file_that_cannot_be_made_anew_is_told()
    {
        await using var at = new Place();
        await using var board = at.Open();
        File.Delete(at.Path + ".lock");
        Directory.CreateDirectory(at.Path + ".lock");

        var told = board.LookAtFiles().ShouldHaveSingleItem();
        (told.What, told.State).ShouldBe(("board-lock", StatusFile.Replaced));
        Directory.Delete(at.Path + ".lock");
        board.LookAtFiles().ShouldBeEmpty();
    }

    [Test]
    public async Task The_end_of_a_board_leaves_the_one_alone_that_has_its_place()
    {
        await using var at = new Place();
        var first = at.Open();
        await first.CreateAsync(new NewTask { Title = "first" });
        at.Do(Loss.DirectoryRenamed);
        await using (var second = at.Open())
        {
            await second.CreateAsync(new NewTask { Title = "second" });
            first.LookAtFiles().ShouldHaveSingleItem().State.ShouldBe(StatusFile.Replaced);

            await first.DisposeAsync();

            second.LookAtFiles().ShouldBeEmpty();
            File.Exists(at.Path + "-wal").ShouldBeTrue("it is the second one's");
        }
        await at.ShouldHaveAsync("second");
    }

    [Test]
    public async Task A_link_leads_to_the_board_and_its_log_and_lock_lie_there()
    {
        await using var at = new Place();
        Directory.CreateDirectory(at.Folder);
        await using (at.Open())
        {
        }
        var link = System.IO.Path.Combine(at.Folder, "link.sqlite");
        File.CreateSymbolicLink(link, at.Path);
        await using (var board = TaskBoard.Open(new BoardOptions { Path = link }))
        {
            await board.CreateAsync(new NewTask { Title = "by the link" });
            File.Exists(at.Path + "-wal").ShouldBeTrue();
            Should.Throw<BoardOpenException>(at.Open).Message.ShouldContain("is in use");
        }
        File.Exists(link + ".lock").ShouldBeFalse();
        await at.ShouldHaveAsync("by the link");
    }

    [Test]
    public async Task A_place_that_cannot_be_is_refused_in_one_clear_line()
    {
        await using var at = new Place();
        Directory.CreateDirectory(at.Folder);
        Directory.CreateDirectory(at.Path);
        Refusal(at.Path).ShouldBe($"cannot write the board {at.Path}: it is a directory (set COLIBRI_DB_PATH to a file, such as {at.Path}/colibri.sqlite)");

        var file = System.IO.Path.Combine(at.Folder, "file");
        File.WriteAllText(file, "");
        Refusal(file + "/b.sqlite").ShouldBe($"cannot write the board {file}/b.sqlite: {file} is a file and no directory (move it away, or set COLIBRI_DB_PATH)");
        Refusal(file + "/deep/b.sqlite").ShouldContain($"{file} is a file and no directory (move it away");

        var link = System.IO.Path.Combine(at.Folder, "link");
        File.CreateSymbolicLink(link, "/nowhere/at-all");
        Refusal(link).ShouldBe($"cannot write the board {link}: it is a symbolic link to /nowhere/at-all, which is not there (put the file back, remove the link, or set COLIBRI_DB_PATH)");
        File.CreateSymbolicLink(link + "2", link + "2");
        Refusal(link + "2").ShouldContain("leads round in a circle");

        static string Refusal(string path) => Should.Throw<BoardOpenException>(() => TaskBoard.Open(new BoardOptions { Path = path })).Message;
    }

    private sealed class Place : IAsyncDisposable
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("colibri-hold-").FullName;

        public string Folder => System.IO.Path.Combine(_directory, "db");

        public string Path => System.IO.Path.Combine(Folder, "board.sqlite");

        public string Elsewhere => System.IO.Path.Combine(_directory, "elsewhere.sqlite");

        private string CopyPath => System.IO.Path.Combine(_directory, "copy", "board.sqlite");

        public TaskBoard Open() => TaskBoard.Open(new BoardOptions { Path = Path });

        public void Do(Loss loss)
        {
            switch (loss)
            {
                case Loss.Removed:
                    File.Delete(Path);
                    break;
                case Loss.Replaced:
                    File.Copy(Path, Elsewhere);
                    File.Delete(Path);
                    File.Move(Elsewhere, Path);
                    break;
                case Loss.MadeADirectory:
                    File.Delete(Path);
                    Directory.CreateDirectory(Path);
                    break;
                case Loss.Moved:
                    File.Move(Path, Elsewhere);
                    break;
                case Loss.DirectoryRenamed:
                    Directory.Move(Folder, Folder + ".old");
                    break;
                default:
                    Directory.Delete(Folder, recursive: true);
                    break;
            }
        }

        /// <summary>The files as a power cut would leave them now.</summary>
        public void Copy()
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(CopyPath)!);
            foreach (var name in (string[])["", "-wal"])
                File.Copy(Path + name, CopyPath + name);
        }

        public Task ShouldHaveAsync(params string[] titles) => ShouldHaveAsync(Path, titles);

        public Task CopyShouldHaveAsync(params string[] titles) => ShouldHaveAsync(CopyPath, titles);

        public ValueTask DisposeAsync()
        {
            Directory.Delete(_directory, recursive: true);
            return ValueTask.CompletedTask;
        }

        private static async Task ShouldHaveAsync(string path, string[] titles)
        {
            await using var board = TaskBoard.Open(new BoardOptions { Path = path });
            (await board.ListAsync(null, 100, null)).Tasks.Select(task => task.Title).ShouldBe(titles);
        }
    }
}

using Colibri.Posix.Files;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Files;

/// <summary>Trees that other programs may have filled with anything.</summary>
[NotInParallel]
public sealed class TreeRemoverTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-trees-").FullName;

    private string Root => Path.Combine(_directory, "root");

    private TreeRemover Trees => new(Root);

    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    public TreeRemoverTests() => Directory.CreateDirectory(Root);

    public void Dispose() => Shell.Run(Shell.Options($"chmod -R u+rwX '{_directory}'; rm -rf '{_directory}'")).GetAwaiter().GetResult();

    [Test]
    public async Task Anything_goes_and_links_do_not_lead_out()
    {
        await Sh($"""
            mkdir -p out/kept root/t/sub root/beside; echo precious >out/kept/file
            cd root/t
            ln -s ../../out link; ln -s ../../../out sub/link; ln -s / slash; ln -s loop loop; ln ../../out/kept/file hard
            mkfifo pipe; mkdir empty; mkdir "$(printf 'a\377b')"; touch "$(printf 'a\377b/c\nd')" -- '-rf' ' '
            i=0; while [ $i -lt 3000 ]; do echo >"f$i"; i=$((i + 1)); done
            mkdir locked; touch locked/f; chmod 555 locked; mkdir closed; touch closed/f; chmod 000 closed
            """);

        Trees.TakeOut("t").ShouldBeTrue();
        Directory.Exists(Path.Combine(Root, "t")).ShouldBeFalse();
        Trees.TakeOut("t").ShouldBeFalse();
        Trees.EmptyTrash(Token).ShouldBeNull();

        Directory.EnumerateFileSystemEntries(Path.Combine(Root, TreeRemover.Trash)).ShouldBeEmpty();
        File.ReadAllText(Path.Combine(_directory, "out/kept/file")).ShouldBe("precious\n");
        Directory.Exists(Path.Combine(Root, "beside")).ShouldBeTrue();
    }

    /// <summary>Deeper than any path can say.</summary>
    [Test]
    public async Task A_tree_of_any_depth_goes()
    {
        await Sh("""
            mkdir root/deep; cd root/deep
            p=$(printf 'd/%.0s' $(seq 1 1500)); mkdir -p "$p"; cd "$p"; mkdir -p "$p"; touch "$p/f"
            """);

        Trees.TakeOut("deep").ShouldBeTrue();
        Trees.EmptyTrash(Token).ShouldBeNull();

        Directory.EnumerateFileSystemEntries(Path.Combine(Root, TreeRemover.Trash)).ShouldBeEmpty();
    }

    [Test]
    public async Task What_is_left_at_a_cancellation_is_removed_by_the_next_call()
    {
        await Sh("mkdir -p root/t/a/b root/t/c; touch root/t/f");
        Trees.TakeOut("t").ShouldBeTrue();
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();

        Trees.EmptyTrash(stopped.Token).ShouldBeNull();

        Directory.EnumerateFileSystemEntries(Path.Combine(Root, TreeRemover.Trash)).Count().ShouldBe(1);
        Trees.EmptyTrash(Token).ShouldBeNull();
        Directory.EnumerateFileSystemEntries(Path.Combine(Root, TreeRemover.Trash)).ShouldBeEmpty();
    }

    [Test]
    [Arguments("..")]
    [Arguments(".")]
    [Arguments("a/b")]
    [Arguments("/")]
    [Arguments(".pruned")]
    [Arguments("")]
    public void A_name_is_one_of_the_directory_alone(string name) => Should.Throw<ArgumentException>(() => Trees.TakeOut(name));

    [Test]
    public async Task A_root_that_is_a_link_is_taken_only_where_that_is_said()
    {
        await Sh("mkdir -p elsewhere/t; ln -s elsewhere linked");
        var linked = Path.Combine(_directory, "linked");

        Should.Throw<IOException>(() => new TreeRemover(linked).TakeOut("t"));
        Directory.Exists(Path.Combine(linked, "t")).ShouldBeTrue();
        new TreeRemover(linked, mayBeLink: true).TakeOut("t").ShouldBeTrue();
    }

    private async Task Sh(string script)
    {
        var (exit, output) = await Shell.Run(Shell.Options($"set -e\n{script}") with { WorkingDirectory = _directory });
        exit.Code.ShouldBe(0, output);
    }
}

using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What a task's runs changed.</summary>
internal static class ChangeView
{
    private const int LabelWidth = 12;
    private const int ShortCommit = 12;

    /// <summary>The change, and its patch where the answer has one. The patch is not wrapped, so that git can apply it.</summary>
    public static void Write(Screen screen, string task, ChangeAnswer answer)
    {
        var change = answer.Change;
        screen.Field("change", $"{change.Branch}, {Words.Of(change.State)}: {Size(change)}", LabelWidth, ToneOf(change.State));
        screen.Field("workspace", $"{Words.Plain(change.Workspace)}, from {Short(change.Base)} to {Short(change.Head)}", LabelWidth);
        if (change.Conflicts is { Count: > 0 } conflicts)
            screen.Field("conflicts", Words.Plain(string.Join(", ", conflicts)), LabelWidth, Tone.Attention);
        if (change.State is ChangeState.Open)
            screen.Field("next", $"colibri land {Words.Plain(task)}, or: colibri discard {Words.Plain(task)}", LabelWidth);
        if (answer.Patch is not { Length: > 0 } patch)
            return;
        screen.Line();
        foreach (var line in Text.Lines(patch))
            screen.Line(screen.Paint(Words.Line(line), ToneOf(line)));
    }

    /// <summary>What became of it, in a line or two.</summary>
    public static void Settled(Screen screen, string task, WorkChange change)
    {
        var name = Words.Plain(task);
        switch (change.State)
        {
            case ChangeState.Landed:
                screen.Line(screen.Paint($"task {name} has landed: {Size(change)}", Tone.Good));
                break;
            case ChangeState.Discarded when change.Commits == 0:
                screen.Line($"the change of task {name} is discarded; it had no commits");
                break;
            case ChangeState.Discarded:
                screen.Line($"the change of task {name} is discarded; its commits are kept at {Short(change.Head)} in its repository");
                break;
            case ChangeState.Conflict:
                screen.Field("conflict", $"task {name} does not merge with its base in {Words.Plain(string.Join(", ", change.Conflicts ?? []))}; the base is as it was", LabelWidth, Tone.Attention);
                screen.Field("next", $"colibri retry {name} --feedback 'Merge the base into your branch and solve the conflicts', or: colibri discard {name}", LabelWidth);
                break;
            default:
                screen.Line($"the change of task {name} is {Words.Of(change.State)}");
                break;
        }
    }

    /// <summary>In a few words: <c>1 commit, 2 files, +10 -3</c>.</summary>
    public static string Size(WorkChange change) =>
        $"{Words.Count(change.Commits, "commit")}, {Words.Count(change.Files, "file")}, +{Words.Number(change.Insertions)} -{Words.Number(change.Deletions)}";

    private static string Short(string commit) => Words.Plain(commit.Length > ShortCommit ? commit[..ShortCommit] : commit);

    private static Tone ToneOf(ChangeState state) => state switch
    {
        ChangeState.Landed => Tone.Good,
        ChangeState.Conflict => Tone.Attention,
        ChangeState.Discarded or ChangeState.Empty => Tone.Quiet,
        _ => Tone.Plain,
    };

    private static Tone ToneOf(string line) => line switch
    {
        ['+', '+', '+', ..] or ['-', '-', '-', ..] or ['d', 'i', 'f', 'f', ' ', ..] => Tone.Strong,
        ['@', '@', ..] => Tone.Quiet,
        ['+', ..] => Tone.Good,
        ['-', ..] => Tone.Bad,
        _ => Tone.Plain,
    };
}

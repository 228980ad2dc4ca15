using Colibri.Cli.Top;
using Colibri.Cli.Top.Actions;

namespace Colibri.UnitTests.Cli.Top.Actions;

public sealed class LineEditorTests
{
    private static LineEditor Typed(params Key[] keys)
    {
        var editor = new LineEditor();
        foreach (var key in keys)
            editor.Take(key);
        return editor;
    }

    private static Key[] Letters(string text) => [.. text.EnumerateRunes().Select(rune => new Key(KeyKind.Char, rune.ToString()))];

    private static Key On(KeyKind kind) => new(kind);

    [Test]
    public void Text_is_edited_at_the_cursor_and_a_bird_is_one_character()
    {
        Typed([.. Letters("ab🐦"), On(KeyKind.Backspace), On(KeyKind.Left), .. Letters("x")]).Text.ShouldBe("axb");
        Typed([.. Letters("🐦b"), On(KeyKind.Home), On(KeyKind.Delete), On(KeyKind.End), .. Letters("c")]).Text.ShouldBe("bc");
        Typed([.. Letters("🐦"), On(KeyKind.Left), On(KeyKind.Right), On(KeyKind.Right), .. Letters("x")]).Text.ShouldBe("🐦x");
        Typed([.. Letters("abc"), On(KeyKind.ClearLine)]).Text.ShouldBe("");
        Typed(On(KeyKind.Backspace), On(KeyKind.Delete), On(KeyKind.Left)).Text.ShouldBe("");
    }

    [Test]
    public void Pasted_lines_become_one_and_their_keys_do_nothing() =>
        Typed(new Key(KeyKind.Paste, "first\nsecond\e[A\ty\n")).Text.ShouldBe("first second [A y");

    [Test]
    public void It_is_bounded() =>
        Typed(new Key(KeyKind.Paste, new string('x', LineEditor.MostChars)), Key.Of('y'), new Key(KeyKind.Paste, "zz")).Text.ShouldBe(new string('x', LineEditor.MostChars));

    [Test]
    public void The_part_around_the_cursor_is_shown()
    {
        Typed(Letters("abcdefgh")).Shown(5).ShouldBe("efgh▏");
        Typed([.. Letters("abcdefgh"), On(KeyKind.Home)]).Shown(5).ShouldBe("▏abc…");
        Typed(Letters("修修修")).Shown(5).ShouldBe("修修▏");
    }
}

using System.Text;
using Colibri.Cli.Top;

namespace Colibri.UnitTests.Cli.Top;

/// <summary>The bytes are what xterm, tmux and the Linux console send (ctlseqs.txt of xterm, "PC-Style Function Keys"; console_codes(4)).</summary>
public sealed class KeysTests
{
    private static readonly (string Bytes, KeyKind Kind)[] Recorded =
    [
        ("\e[A", KeyKind.Up), ("\eOA", KeyKind.Up), ("\e[1;5B", KeyKind.Down), ("\e[C", KeyKind.Right), ("\e[D", KeyKind.Left), ("\e[5~", KeyKind.PageUp), ("\e[6~", KeyKind.PageDown),
        ("\e[H", KeyKind.Home), ("\e[1~", KeyKind.Home), ("\eOH", KeyKind.Home), ("\e[F", KeyKind.End), ("\e[4~", KeyKind.End), ("\e[8~", KeyKind.End), ("\e[3~", KeyKind.Delete),
        ("\e[Z", KeyKind.BackTab), ("\t", KeyKind.Tab), ("\r", KeyKind.Enter), ("\n", KeyKind.Enter), ("\eOM", KeyKind.Enter), ("\x7f", KeyKind.Backspace), ("\b", KeyKind.Backspace),
        ("\f", KeyKind.Redraw), ("\x15", KeyKind.ClearLine), ("\e[11~", KeyKind.Other), ("\e[<0;3;4M", KeyKind.Other), ("\ex", KeyKind.Other), ("\x01", KeyKind.Other),
    ];

    private static List<Key> Read(params byte[][] parts)
    {
        var keys = new Keys();
        return [.. parts.SelectMany(part => keys.Take(part))];
    }

    [Test]
    public void A_sequence_is_its_key_however_it_is_split_over_reads()
    {
        foreach (var (text, kind) in Recorded)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var split = 0; split <= bytes.Length; split++)
            {
                var keys = Read(bytes[..split], bytes[split..], "q"u8.ToArray());
                keys.ShouldBe([new Key(kind), Key.Of('q')], $"{text.Replace("\e", "ESC", StringComparison.Ordinal)} split at {split}");
            }
        }
    }

    [Test]
    [Arguments("é")]
    [Arguments("修")]
    [Arguments("🐦")]
    public void A_character_of_several_bytes_is_one_key_however_it_is_split(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var split = 0; split <= bytes.Length; split++)
            Read(bytes[..split], bytes[split..]).ShouldBe([new Key(KeyKind.Char, text)]);
    }

    [Test]
    public void A_lone_Escape_is_decided_by_time_alone()
    {
        var keys = new Keys();
        keys.Take([0x1b]).ShouldBeEmpty();
        keys.IsUndecided.ShouldBeTrue();
        keys.Settle().ShouldBe(new Key(KeyKind.Escape));
        keys.IsUndecided.ShouldBeFalse();
        keys.Settle().ShouldBeNull();
    }

    [Test]
    public void An_unfinished_sequence_is_no_key()
    {
        var keys = new Keys();
        keys.Take("\e[1;"u8).ShouldBeEmpty();
        keys.Settle().ShouldBe(new Key(KeyKind.Other));
        keys.Take("q"u8).ShouldBe([Key.Of('q')]);
    }

    [Test]
    public void Bytes_that_are_no_UTF8_are_no_key() => Read([0xff, 0xc3], [0x28, (byte)'q']).ShouldBe([new Key(KeyKind.Other), new Key(KeyKind.Other), Key.Of('q')]);

    [Test]
    public void A_sequence_without_end_is_given_up()
    {
        var keys = Read([.. "\e["u8, .. Enumerable.Repeat((byte)'1', 63)], "q"u8.ToArray());
        keys.ShouldBe([new Key(KeyKind.Other), Key.Of('q')]);
    }

    [Test]
    public void Pasted_text_is_no_keys_whatever_is_in_it()
    {
        var bytes = Encoding.UTF8.GetBytes("\e[200~q\ns\e[A y\e[201~j");
        for (var split = 0; split <= bytes.Length; split++)
            Read(bytes[..split], bytes[split..]).ShouldBe([new Key(KeyKind.Paste, "q\ns\e[A y"), Key.Of('j')]);
    }

    [Test]
    public void Of_a_long_paste_the_beginning_is_kept_and_its_end_is_found()
    {
        var keys = Read([.. "\e[200~"u8, .. Enumerable.Repeat((byte)'x', 100_000), .. "\e[201~j"u8]);
        keys.Count.ShouldBe(2);
        keys[0].Text.Length.ShouldBeInRange(16_000, 16 * 1024);
        keys[1].ShouldBe(Key.Of('j'));
    }
}

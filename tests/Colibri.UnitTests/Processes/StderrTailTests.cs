using System.Text;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.UnitTests.Providers;

namespace Colibri.UnitTests.Processes;

public sealed class StderrTailTests
{
    private readonly StderrTail _tail = new();

    [Test]
    public void Of_silence_nothing_is_kept()
    {
        _tail.Add([]);
        (_tail.Text(Secrets.None), _tail.LastLine(Secrets.None)).ShouldBe((null, null));
    }

    [Test]
    [Arguments("no room\njail: colibri-a1: /usr/bin/env -i M=1 /bin/sh -c exec\nsecond line of it: failed\n", "no room")]
    [Arguments("no room\njail: colibri-a1: /usr/bin/env -i M=1 /bin/sh: exited on signal 9\n", "no room")]
    [Arguments("jail: colibri-a1: /usr/bin/env -i M=1 /bin/sh -c exec: failed\n", "unsaid")]
    [Arguments("jail: colibri-a1: ip4.addr: 10.0.0.1: not an address of this host\n", "jail: colibri-a1: ip4.addr: 10.0.0.1: not an address of this host")]
    [Arguments("", "unsaid")]
    public void A_tool_s_repetition_of_the_command_line_is_never_the_last_line(string said, string expected)
    {
        var tail = new StderrTail { Echo = "jail: colibri-a1: /usr/bin/env -i ", Unsaid = "unsaid" };
        tail.Add(Encoding.UTF8.GetBytes(said));
        tail.LastLine(Secrets.None).ShouldBe(expected);
    }

    [Test]
    public void A_repetition_that_is_longer_than_what_is_kept_is_none_either()
    {
        var tail = new StderrTail { Echo = "jail: colibri-a1: /usr/bin/env -i " };
        tail.Add(Encoding.UTF8.GetBytes($"jail: colibri-a1: /usr/bin/env -i {new string('x', 20_000)}: failed\n"));
        tail.LastLine(Secrets.None).ShouldBeNull();
    }

    [Test]
    [Arguments(1)]
    [Arguments(7)]
    [Arguments(4_096)]
    [Arguments(StderrTail.Capacity)]
    [Arguments(100_000)]
    public void The_last_bytes_are_kept_however_they_come(int chunk)
    {
        var text = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"{i:D5}\n"));
        foreach (var part in Encoding.UTF8.GetBytes(text).Chunk(chunk))
            _tail.Add(part);
        _tail.Text(Secrets.None).ShouldBe(text[^StderrTail.Capacity..]);
        _tail.LastLine(Secrets.None).ShouldBe("04999");
    }

    [Test]
    public void A_tail_that_just_fits_is_whole()
    {
        var text = new string('x', StderrTail.Capacity - 1) + "y";
        Add(text);
        _tail.Text(Secrets.None).ShouldBe(text);
        Add("z");
        _tail.Text(Secrets.None).ShouldBe(text[1..] + "z");
    }

    [Test]
    [Arguments("é", 0)]
    [Arguments("é", 1)]
    [Arguments("\u2028", 1)]
    [Arguments("\u2028", 2)]
    [Arguments("\U0001F426", 1)]
    [Arguments("\U0001F426", 2)]
    [Arguments("\U0001F426", 3)]
    public void The_cut_never_leaves_half_a_character(string unit, int shift)
    {
        Add(string.Concat(Enumerable.Repeat(unit, StderrTail.Capacity)) + new string('.', shift));
        var text = _tail.Text(Secrets.None)!;
        text.ShouldStartWith(unit);
        text.ShouldNotContain('\uFFFD');
        Encoding.UTF8.GetByteCount(text).ShouldBeInRange(StderrTail.Capacity - 3, StderrTail.Capacity);
    }

    [Test]
    [Arguments(0)]
    [Arguments(1)]
    [Arguments(20)]
    [Arguments(8_191)]
    [Arguments(8_192)]
    [Arguments(8_200)]
    [Arguments(8_220)]
    [Arguments(9_000)]
    public void A_key_is_blotted_out_wherever_the_ring_has_cut_it(int after)
    {
        Add(new string('.', 10_000) + Keys.Short + new string('-', after));
        var text = _tail.Text(Keys.Of(Keys.Short))!;
        for (var length = 6; length <= Keys.Short.Length; length++)
            text.ShouldNotContain(Keys.Short[^length..]);
    }

    [Test]
    [Arguments("-")]
    [Arguments("\u20AC")]
    [Arguments("\U0001F426")]
    public void Nothing_of_a_key_is_left_however_long_it_is_and_wherever_the_ring_has_cut_it(string filler)
    {
        foreach (var key in new[] { Keys.Short, Keys.Usual, Keys.Long })
        {
            var secrets = Keys.Of(key);
            foreach (var edge in new[] { StderrTail.Capacity, StderrTail.Capacity + 512 })
            {
                for (var cut = -3; cut <= key.Length + 3; cut += Math.Max(1, key.Length / 60))
                {
                    // So many bytes of the key lie within the edge.
                    var after = Math.Max(0, edge - cut);
                    var tail = new StderrTail();
                    tail.Add(Encoding.UTF8.GetBytes(new string('.', 10_000) + key + string.Concat(Enumerable.Repeat(filler, after / Encoding.UTF8.GetByteCount(filler)))));
                    tail.Text(secrets).ShouldHoldNoPartOf(key, $"{cut} bytes within {edge}");
                    tail.LastLine(secrets).ShouldHoldNoPartOf(key, $"{cut} bytes within {edge}");
                }
            }
        }
    }

    [Test]
    public void Bytes_that_are_no_text_are_shown_as_such()
    {
        _tail.Add([(byte)'a', 0xff, (byte)'b']);
        _tail.Text(Secrets.None).ShouldBe("a\uFFFDb");
        _tail.Add(Enumerable.Repeat((byte)0x80, StderrTail.Capacity * 2).ToArray());
        _tail.Text(Secrets.None).ShouldNotBeNull().ShouldAllBe(c => c == '\uFFFD');
    }

    [Test]
    [Arguments("one\ntwo", "two")]
    [Arguments("one\r\n  two \n\n \n", "two")]
    [Arguments("\n \n", null)]
    public void The_last_line_is_the_last_that_says_anything(string text, string? expected)
    {
        Add(text);
        _tail.LastLine(Secrets.None).ShouldBe(expected);
    }

    [Test]
    public void A_key_and_an_escape_sequence_are_gone_wherever_the_reads_split_them()
    {
        var bytes = Encoding.UTF8.GetBytes($"\e[93m\e[1m! \e[0mcannot \e]0;use\a use {Keys.Usual[..20]}\e[1m{Keys.Usual[20..]} \u20AC\u2028\n");
        for (var at = 0; at <= bytes.Length; at++)
        {
            var tail = new StderrTail();
            tail.Add(bytes.AsSpan(0, at));
            tail.Add(bytes.AsSpan(at));
            tail.Text(Keys.Of(Keys.Usual)).ShouldBe("! cannot  use [redacted] \u20AC\u2028\n", $"split at {at}");
        }
    }

    [Test]
    public void A_sequence_that_the_ring_has_cut_leaves_no_control_character()
    {
        for (var cut = 0; cut < 12; cut++)
        {
            var tail = new StderrTail();
            tail.Add(Encoding.UTF8.GetBytes(new string('.', 9_000) + "\e[38;5;196m" + new string('-', StderrTail.Capacity + 512 - cut)));
            tail.Text(Secrets.None)!.Any(char.IsControl).ShouldBeFalse($"cut at {cut}");
        }
    }

    private void Add(string text) => _tail.Add(Encoding.UTF8.GetBytes(text));
}

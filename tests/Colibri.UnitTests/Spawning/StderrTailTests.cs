using System.Text;
using Colibri.Core.Spawning;

namespace Colibri.UnitTests.Spawning;

public sealed class StderrTailTests
{
    private readonly StderrTail _tail = new();

    [Fact]
    public void Of_silence_nothing_is_kept()
    {
        _tail.Add([]);
        (_tail.Text(), _tail.LastLine()).ShouldBe((null, null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4_096)]
    [InlineData(StderrTail.Capacity)]
    [InlineData(100_000)]
    public void The_last_bytes_are_kept_however_they_come(int chunk)
    {
        var text = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"{i:D5}\n"));
        foreach (var part in Encoding.UTF8.GetBytes(text).Chunk(chunk))
            _tail.Add(part);
        _tail.Text().ShouldBe(text[^StderrTail.Capacity..]);
        _tail.LastLine().ShouldBe("04999");
    }

    [Fact]
    public void A_tail_that_just_fits_is_whole()
    {
        var text = new string('x', StderrTail.Capacity - 1) + "y";
        Add(text);
        _tail.Text().ShouldBe(text);
        Add("z");
        _tail.Text().ShouldBe(text[1..] + "z");
    }

    [Theory]
    [InlineData("é", 0)]
    [InlineData("é", 1)]
    [InlineData("\u2028", 1)]
    [InlineData("\u2028", 2)]
    [InlineData("\U0001F426", 1)]
    [InlineData("\U0001F426", 2)]
    [InlineData("\U0001F426", 3)]
    public void The_cut_never_leaves_half_a_character(string unit, int shift)
    {
        Add(string.Concat(Enumerable.Repeat(unit, StderrTail.Capacity)) + new string('.', shift));
        var text = _tail.Text()!;
        text.ShouldStartWith(unit);
        text.ShouldNotContain('\uFFFD');
        Encoding.UTF8.GetByteCount(text).ShouldBeInRange(StderrTail.Capacity - 3, StderrTail.Capacity);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(8_191)]
    [InlineData(8_192)]
    [InlineData(8_200)]
    [InlineData(8_220)]
    [InlineData(9_000)]
    public void A_key_is_blotted_out_wherever_the_ring_has_cut_it(int after)
    {
        const string Key = "sk-0123456789abcdef";
        Add(new string('.', 10_000) + Key + new string('-', after));
        var text = _tail.Text(kept => kept.Replace(Key, "[redacted]", StringComparison.Ordinal))!;
        for (var length = 6; length <= Key.Length; length++)
            text.ShouldNotContain(Key[^length..]);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_as_such()
    {
        _tail.Add([(byte)'a', 0xff, (byte)'b']);
        _tail.Text().ShouldBe("a\uFFFDb");
        _tail.Add(Enumerable.Repeat((byte)0x80, StderrTail.Capacity * 2).ToArray());
        _tail.Text().ShouldNotBeNull().ShouldAllBe(c => c == '\uFFFD');
    }

    [Theory]
    [InlineData("one\ntwo", "two")]
    [InlineData("one\r\n  two \n\n \n", "two")]
    [InlineData("\n \n", null)]
    public void The_last_line_is_the_last_that_says_anything(string text, string? expected)
    {
        Add(text);
        _tail.LastLine().ShouldBe(expected);
    }

    private void Add(string text) => _tail.Add(Encoding.UTF8.GetBytes(text));
}

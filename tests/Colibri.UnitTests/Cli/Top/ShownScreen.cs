using System.Globalization;
using System.Text;
using Colibri.Cli.Output;

namespace Colibri.UnitTests.Cli.Top;

/// <summary>What a terminal shows after what was written to it. It knows the sequences that are used, and no other: those fail the test.</summary>
internal sealed class ShownScreen(int width, int height)
{
    private readonly string[] _cells = [.. Enumerable.Repeat(" ", width * height)];
    private int _x;
    private int _y;

    public string Text => string.Join('\n', Enumerable.Range(0, height).Select(y => string.Concat(_cells[(y * width)..((y + 1) * width)]).TrimEnd()));

    public void Write(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        for (var i = 0; i < text.Length;)
        {
            if (text[i] == '\e')
            {
                i = Obey(text, i);
                continue;
            }
            Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used).ShouldBe(System.Buffers.OperationStatus.Done);
            Rune.IsControl(rune).ShouldBeFalse($"U+{rune.Value:x4}");
            Show(rune);
            i += used;
        }
    }

    private int Obey(string text, int start)
    {
        text[start + 1].ShouldBe('[');
        var end = start + 2;
        while (text[end] is < '@' or > '~')
            end++;
        var parameters = text[(start + 2)..end];
        switch (text[end])
        {
            case 'H':
                var place = parameters.Split(';').Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToArray();
                (_y, _x) = (place[0] - 1, place[1] - 1);
                _y.ShouldBeInRange(0, height - 1);
                _x.ShouldBeInRange(0, width - 1);
                break;
            case 'J':
                Array.Fill(_cells, " ");
                break;
            case 'm':
                break;
            default:
                throw new ShouldAssertException($"no sequence of this program: ESC [{parameters}{text[end]}");
        }
        return end + 1;
    }

    private void Show(Rune rune)
    {
        var columns = Columns.Of(rune);
        if (columns == 0)
        {
            var before = _x - 1;
            while (_cells[(_y * width) + before].Length == 0)
                before--;
            _cells[(_y * width) + before] += rune.ToString();
            return;
        }
        (_x + columns).ShouldBeLessThanOrEqualTo(width, "wrapped");
        _cells[(_y * width) + _x] = rune.ToString();
        if (columns == 2)
            _cells[(_y * width) + _x + 1] = "";
        _x += columns;
    }
}

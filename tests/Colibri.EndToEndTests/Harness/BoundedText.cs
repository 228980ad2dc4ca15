using System.Text;

namespace Colibri.EndToEndTests.Harness;

/// <summary>The last part of what a process printed, for failure messages.</summary>
internal sealed class BoundedText(int limit)
{
    private readonly StringBuilder _text = new();
    private readonly Lock _gate = new();

    public void AppendLine(string? line)
    {
        if (line is null)
            return;
        lock (_gate)
        {
            _text.Append(line).Append('\n');
            if (_text.Length > limit)
                _text.Remove(0, _text.Length - limit);
        }
    }

    public override string ToString()
    {
        lock (_gate)
            return _text.ToString();
    }
}

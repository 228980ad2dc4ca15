namespace Colibri.Core.Settings;

/// <summary>A place in the configuration file; line and column count from 1.</summary>
public readonly record struct FilePlace(int Line, int Column)
{
    public bool IsBefore(FilePlace other) => (Line, Column).CompareTo((other.Line, other.Column)) < 0;
}

/// <summary>What is wrong in one file: the first mistake in the file's order, and how many there are.</summary>
internal sealed class FileMistakes(string file)
{
    private FilePlace _at;
    private string? _first;
    private int _count;

    public bool Any => _count > 0;

    public void Add(FilePlace at, string problem) => Add(at, () => problem);

    /// <summary>As <see cref="Add(FilePlace, string)"/>, for a message that costs a search: it is made only if it may be the one to tell.</summary>
    public void Add(FilePlace at, Func<string> problem)
    {
        _count++;
        if (_first is null || at.IsBefore(_at))
            (_at, _first) = (at, problem());
    }

    /// <exception cref="ConfigurationException">There is one: file, line, column, key, and what is allowed.</exception>
    public void ThrowIfAny()
    {
        if (_first is null)
            return;
        var more = _count switch { 1 => "", 2 => " (and 1 more mistake)", _ => $" (and {_count - 1} more mistakes)" };
        throw new ConfigurationException($"{file}:{_at.Line}:{_at.Column}: {_first}{more}");
    }
}

/// <summary>One key of the file cannot be used.</summary>
internal sealed class FileMistakeException(FilePlace at, string problem) : Exception(problem)
{
    public FilePlace At => at;
}

using System.Globalization;

namespace Colibri.Core.Settings;

/// <summary>What reading one file gathers: its mistakes, and where each key stands.</summary>
internal sealed class FileReading(string file)
{
    public string File => file;

    public FileMistakes Mistakes { get; } = new(file);

    /// <summary>Every key that is stated, as <c>section.name.key</c>.</summary>
    public Dictionary<string, FilePlace> Stated { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a table by its keys, and notes a mistake for each that is not known or cannot be used.</summary>
    public T Read<T>(string path, TomlTable table, IReadOnlyList<FileKey<T>> keys, T start)
    {
        foreach (var (name, entry) in table.Entries)
        {
            var shown = $"{path}.{TomlLiteral.Key(name)}";
            if (SecretNames.LooksLikeOne(name))
            {
                Mistakes.Add(entry.At, SecretNames.Refusal(shown));
                continue;
            }
            if (keys.FirstOrDefault(key => key.Name == name) is not { } known)
            {
                Mistakes.Add(entry.At, () => UnknownNames.Key(shown, name, keys.Select(key => key.Name)));
                continue;
            }
            try
            {
                start = known.Read(start, new FileValue(this, shown, entry));
                Stated[shown] = entry.At;
            }
            catch (FileMistakeException e)
            {
                Mistakes.Add(e.At, e.Message);
            }
        }
        return start;
    }
}

/// <summary>One value of the file, typed: what does not fit throws with the value and what is allowed.</summary>
internal sealed class FileValue(FileReading reading, string key, TomlEntry entry)
{
    /// <summary>Longest text of one line, in UTF-16 units.</summary>
    public const int MaxTextLength = 4_096;

    /// <summary>The key with its sections.</summary>
    public string Key => key;

    /// <summary>A text of one line that is not empty.</summary>
    public string Text() => entry.Value is TomlText { Value: var text } && IsLine(text)
        ? text
        : throw Refused($"use a text of one line in quotes, 1 to {MaxTextLength} characters");

    /// <summary>A text that passes a test of its own.</summary>
    public string Text(Predicate<string> isRight, string remedy) => entry.Value is TomlText { Value: var text } && IsLine(text) && isRight(text) ? text : throw Refused(remedy);

    /// <summary>The same where the value may hold a secret: a refusal does not show it.</summary>
    public string Unseen(Predicate<string> isRight, string remedy) =>
        entry.Value is TomlText { Value: var text } && IsLine(text) && isRight(text) ? text : throw new FileMistakeException(entry.At, $"{key} cannot be used: {remedy}");

    public bool IsText(string text) => entry.Value is TomlText { Value: var value } && value == text;

    public string AbsolutePath() => Text(static path => path.StartsWith('/'), "use an absolute path in quotes");

    /// <summary>A text of any number of lines that is not empty.</summary>
    public string Lines() => entry.Value is TomlText { Value: { Length: > 0 and <= 64 * 1024 } text } && !text.Contains('\0')
        ? text
        : throw Refused("use a text in quotes, 1 to 65536 characters");

    public bool Truth() => entry.Value is TomlBoolean { Value: var value } ? value : throw Refused("use true or false");

    public int Integer(int minimum, int maximum) => entry.Value is TomlInteger { Value: var value } && value >= minimum && value <= maximum
        ? (int)value
        : throw Refused($"use a whole number from {minimum} to {maximum}");

    /// <summary>As the environment has it: <c>"15m"</c>, or a whole number of seconds.</summary>
    public TimeSpan Duration(TimeSpan minimum, TimeSpan maximum)
    {
        var text = entry.Value switch
        {
            TomlText { Value: var words } => words,
            TomlInteger { Value: var seconds } => TomlLiteral.Integer(seconds),
            _ => "",
        };
        return EnvironmentReader.TryParseDuration(text, out var value) && value >= minimum && value <= maximum
            ? value
            : throw Refused($"use a duration in quotes such as \"30s\", \"5m\" or \"4h\", from {EnvironmentReader.Words(minimum)} to {EnvironmentReader.Words(maximum)}");
    }

    /// <summary>Bytes: <c>"4GiB"</c>, or a whole number of bytes.</summary>
    public long Size(long minimum, long maximum)
    {
        var isOne = entry.Value switch
        {
            TomlText { Value: var words } => TryParseSize(words, out var size) ? size : (long?)null,
            TomlInteger { Value: var bytes } => bytes,
            _ => null,
        };
        return isOne is { } value && value >= minimum && value <= maximum
            ? value
            : throw Refused($"use a size in quotes such as \"512MiB\" or \"4GiB\", from {TomlLiteral.Size(minimum).Trim('"')} to {TomlLiteral.Size(maximum).Trim('"')}");
    }

    /// <summary>As <see cref="Size"/>, or <c>"none"</c>.</summary>
    public long? SizeOrNone(long minimum, long maximum) => entry.Value is TomlText { Value: "none" } ? null : Size(minimum, maximum);

    /// <summary>US dollars, as micro-cents.</summary>
    public long Dollars()
    {
        const long Highest = 1_000_000;
        var amount = entry.Value switch
        {
            TomlInteger { Value: >= 0 and <= Highest } whole => whole.Value,
            TomlNumber { Value: >= 0 and <= Highest } part => (decimal)part.Value,
            _ => throw Refused($"use a number of US dollars such as 2.0, from 0 to {Highest}"),
        };
        return (long)Math.Round(amount * 100_000_000, MidpointRounding.AwayFromZero);
    }

    public T Choice<T>(params IReadOnlyList<(string Word, T Value)> choices)
    {
        var word = entry.Value is TomlText { Value: var text } ? text : null;
        foreach (var choice in choices)
        {
            if (choice.Word == word)
                return choice.Value;
        }
        var nearest = word is null ? null : Protocol.Nearest.To(word, choices.Select(choice => choice.Word));
        throw Refused($"{(nearest is null ? "" : $"did you mean \"{nearest}\"? ")}use {string.Join(", ", choices.Select(choice => $"\"{choice.Word}\""))}");
    }

    /// <summary>Texts, each not longer than an argument may be and without NUL.</summary>
    public IReadOnlyList<string> Texts(int maxCount) => Items(maxCount, static text => text.Length <= 64 * 1024 && !text.Contains('\0'), $"use a list of up to {maxCount} strings, such as [\"one\", \"two\"]");

    /// <summary>Names of one line each.</summary>
    public IReadOnlyList<string> Names(int maxCount, Predicate<string> isName, string remedy) => Items(maxCount, text => IsLine(text) && isName(text), remedy);

    /// <summary>Variables of an environment; a value is never shown.</summary>
    public IReadOnlyDictionary<string, string> Variables(int maxCount)
    {
        if (entry.Value is not TomlTable table || table.Entries.Count > maxCount)
            throw Refused($"use a table of up to {maxCount} variables, such as {{ CI = \"1\" }}");
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, variable) in table.Entries)
        {
            var shown = $"{key}.{TomlLiteral.Key(name)}";
            if (SecretNames.LooksLikeOne(name))
                throw new FileMistakeException(variable.At, $"{SecretNames.Refusal(shown)}, and its name into pass_env");
            if (!IsVariable(name))
                throw new FileMistakeException(variable.At, $"{EnvironmentReader.Printable(shown)} is no variable: use letters, digits and _");
            if (variable.Value is not TomlText { Value: { Length: <= 64 * 1024 } value } || value.Contains('\0'))
                throw new FileMistakeException(variable.At, $"{shown} cannot be used: use a text in quotes");
            variables.Add(name, value);
        }
        return variables;
    }

    public T Table<T>(IReadOnlyList<FileKey<T>> keys, T start) => entry.Value is TomlTable table
        ? reading.Read(key, table, keys, start)
        : throw Refused($"use a table with {string.Join(", ", keys.Select(one => one.Name))}");

    public FileMistakeException Refused(string remedy) => new(entry.At, $"{key} = {Shown(entry.Value)} cannot be used: {remedy}");

    public static bool IsVariable(string name) => name.Length is > 0 and <= 256 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>A value as a message may show it.</summary>
    internal static string Shown(TomlValue value) => value switch
    {
        TomlText text => $"\"{EnvironmentReader.Printable(text.Value)}\"",
        TomlInteger integer => TomlLiteral.Integer(integer.Value),
        TomlNumber number => number.Value.ToString(CultureInfo.InvariantCulture),
        TomlBoolean boolean => boolean.Value ? "true" : "false",
        _ => value.Kind,
    };

    private List<string> Items(int maxCount, Predicate<string> isRight, string remedy)
    {
        if (entry.Value is not TomlArray array || array.Items.Count > maxCount)
            throw Refused(remedy);
        List<string> texts = [];
        foreach (var item in array.Items)
        {
            if (item is not TomlText { Value: var text } || !isRight(text))
                throw new FileMistakeException(entry.At, $"{key} holds {Shown(item)}, which cannot be used: {remedy}");
            texts.Add(text);
        }
        return texts;
    }

    private static bool IsLine(string text) => text.Length is > 0 and <= MaxTextLength && !text.Any(char.IsControl);

    private static bool TryParseSize(string text, out long bytes)
    {
        var (number, shift) = (text, 0);
        foreach (var (suffix, bits) in ((string, int)[])[("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)])
        {
            if (!text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                continue;
            (number, shift) = (text[..^suffix.Length], bits);
            break;
        }
        bytes = 0;
        if (!decimal.TryParse(number.TrimEnd(' '), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) || amount > 1L << 50)
            return false;
        var total = amount * (1L << shift);
        if (total > 1L << 60)
            return false;
        bytes = (long)total;
        return true;
    }
}

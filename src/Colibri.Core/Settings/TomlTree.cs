using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Colibri.Core.Settings;

/// <summary>Reads TOML into tables and values with the place of each. The only code that knows Tomlyn, of which it uses the syntax tree alone.</summary>
internal static class TomlTree
{
    /// <summary>Tokens that a message of the parser may show. Other text that it quotes may be part of a key that was put into the file.</summary>
    private static readonly string[] TokenNames = ["newline", "<eof>", "Eof"];

    /// <summary>Reads a file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="mistakes">Gets the first error of syntax; the tree is empty then, because what follows an error is guesswork.</param>
    public static TomlTable Parse(string text, FileMistakes mistakes)
    {
        DocumentSyntax document;
        try
        {
            document = SyntaxParser.Parse(text, "", validate: true);
        }
        catch (TomlException e)
        {
            mistakes.Add(e.Span is { } span ? new FilePlace(span.Start.Line + 1, span.Start.Column + 1) : new FilePlace(1, 1), $"this is no TOML: {Plain(e.Message)}");
            return new TomlTable();
        }
        foreach (var error in document.Diagnostics)
        {
            mistakes.Add(PlaceOf(error.Span), $"this is no TOML: {Plain(error.Message)}");
            return new TomlTable();
        }
        var root = new TomlTable();
        foreach (var entry in document.KeyValues)
            Put(root, entry, mistakes);
        foreach (var section in document.Tables)
        {
            var at = PlaceOf(section.Name!.Span);
            if (section is TableArraySyntax)
                mistakes.Add(at, "a table in double brackets has no meaning here; write [agents.NAME] and the like");
            else if (Open(root, Parts(section.Name), at, mistakes) is { } table)
                foreach (var entry in section.Items)
                    Put(table, entry, mistakes);
        }
        return root;
    }

    private static void Put(TomlTable table, KeyValueSyntax entry, FileMistakes mistakes)
    {
        var (parts, at) = (Parts(entry.Key!), PlaceOf(entry.Key!.Span));
        if (Open(table, [.. parts.Take(parts.Count - 1)], at, mistakes) is { } inner && !inner.Entries.TryAdd(parts[^1], new TomlEntry(at, ValueOf(entry.Value!, mistakes))))
            mistakes.Add(at, "the key is there twice");
    }

    private static TomlTable? Open(TomlTable table, List<string> parts, FilePlace at, FileMistakes mistakes)
    {
        foreach (var part in parts)
        {
            if (!table.Entries.TryGetValue(part, out var entry))
                table.Entries.Add(part, entry = new TomlEntry(at, new TomlTable()));
            if (entry.Value is not TomlTable inner)
            {
                mistakes.Add(at, "the key has a value already, and cannot be a table as well");
                return null;
            }
            table = inner;
        }
        return table;
    }

    private static TomlValue ValueOf(ValueSyntax value, FileMistakes mistakes)
    {
        switch (value)
        {
            case StringValueSyntax text:
                return new TomlText(text.Value ?? "");
            case IntegerValueSyntax integer:
                return new TomlInteger(integer.Value);
            case FloatValueSyntax number:
                return new TomlNumber(number.Value);
            case BooleanValueSyntax boolean:
                return new TomlBoolean(boolean.Value);
            case ArraySyntax array:
                List<TomlValue> items = [];
                foreach (var item in array.Items)
                    items.Add(ValueOf(item.Value!, mistakes));
                return new TomlArray(items);
            case InlineTableSyntax inline:
                var table = new TomlTable();
                foreach (var item in inline.Items)
                    Put(table, item.KeyValue!, mistakes);
                return table;
            default:
                return new TomlDate();
        }
    }

    private static List<string> Parts(KeySyntax key)
    {
        List<string> parts = [NameOf(key.Key)];
        foreach (var part in key.DotKeys)
            parts.Add(NameOf(part.Key));
        return parts;
    }

    private static string NameOf(BareKeyOrStringValueSyntax? key) => key switch
    {
        StringValueSyntax quoted => quoted.Value ?? "",
        BareKeySyntax bare => bare.Key?.Text ?? "",
        _ => "",
    };

    private static FilePlace PlaceOf(SourceSpan span) => new(span.Start.Line + 1, span.Start.Column + 1);

    /// <summary>The parser's message without what it quotes of the file, but for names of keys and of tokens.</summary>
    private static string Plain(string message)
    {
        const string Twice = " is already defined at ";
        var words = message.Split('`');
        if (message.StartsWith("The key `", StringComparison.Ordinal) && words is [_, var key, var rest, ..] && rest.StartsWith(Twice, StringComparison.Ordinal))
            return $"the key {EnvironmentReader.Printable(key)} is there twice, first at line {rest[Twice.Length..].TrimStart('(').Split(',')[0]}";
        for (var i = 1; i < words.Length; i += 2)
            words[i] = TokenNames.Contains(words[i]) ? words[i].Trim('<', '>').ToLowerInvariant() : words[i].Any(char.IsLetterOrDigit) || words[i] == "␤" ? "" : words[i];
        // It quotes without marks behind these words.
        var marked = string.Concat(words).Split(" instead of ")[0];
        var plain = string.Join(' ', marked.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Replace(" (token: )", "", StringComparison.Ordinal);
        return EnvironmentReader.Printable(plain);
    }
}

/// <summary>A value of the file.</summary>
internal abstract class TomlValue
{
    /// <summary>What it is, as TOML's own words have it.</summary>
    public abstract string Kind { get; }
}

internal sealed class TomlText(string value) : TomlValue
{
    public string Value => value;

    public override string Kind => "a string";
}

internal sealed class TomlInteger(long value) : TomlValue
{
    public long Value => value;

    public override string Kind => "an integer";
}

internal sealed class TomlNumber(double value) : TomlValue
{
    public double Value => value;

    public override string Kind => "a number";
}

internal sealed class TomlBoolean(bool value) : TomlValue
{
    public bool Value => value;

    public override string Kind => "a boolean";
}

internal sealed class TomlDate : TomlValue
{
    public override string Kind => "a date or a time";
}

internal sealed class TomlArray(IReadOnlyList<TomlValue> items) : TomlValue
{
    public IReadOnlyList<TomlValue> Items => items;

    public override string Kind => "an array";
}

internal sealed class TomlTable : TomlValue
{
    /// <summary>In the order of the file.</summary>
    public OrderedDictionary<string, TomlEntry> Entries { get; } = new(StringComparer.Ordinal);

    public override string Kind => "a table";
}

/// <summary>What stands under one key.</summary>
internal sealed record TomlEntry(FilePlace At, TomlValue Value);

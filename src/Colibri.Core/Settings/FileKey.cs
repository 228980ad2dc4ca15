namespace Colibri.Core.Settings;

/// <summary>One key of a table of the file: how it is read into a record, and printed from it.</summary>
/// <param name="name">The key.</param>
/// <param name="form">What it may hold, in words.</param>
/// <param name="read">The record with the value that the file states.</param>
/// <param name="print">The value as the file would state it; null where it is not set and nothing holds.</param>
/// <param name="show">The same for eyes, where the value itself is not for them.</param>
internal sealed class FileKey<T>(string name, string form, Func<T, FileValue, T> read, Func<T, string?> print, Func<T, string?>? show = null)
{
    public string Name => name;

    public string Form => form;

    /// <exception cref="FileMistakeException">The value cannot be used.</exception>
    public T Read(T record, FileValue value) => read(record, value);

    public string? Print(T record) => print(record);

    public string? Show(T record) => (show ?? print)(record);

    public static FileKey<T> Text(string name, Func<T, string?> get, Func<T, string, T> set) =>
        new(name, "a text", (record, value) => set(record, value.Text()), record => Literal(get(record)));

    public static FileKey<T> Path(string name, Func<T, string?> get, Func<T, string, T> set) =>
        new(name, "an absolute path", (record, value) => set(record, value.AbsolutePath()), record => Literal(get(record)));

    public static FileKey<T> Command(string name, Func<T, string?> get, Func<T, string, T> set) =>
        new(name, "a shell command", (record, value) => set(record, value.Lines()), record => Literal(get(record)));

    public static FileKey<T> Duration(string name, TimeSpan minimum, TimeSpan maximum, Func<T, TimeSpan?> get, Func<T, TimeSpan, T> set) => new(
        name,
        $"{EnvironmentReader.Words(minimum)} to {EnvironmentReader.Words(maximum)}",
        (record, value) => set(record, value.Duration(minimum, maximum)),
        record => get(record) is { } time ? TomlLiteral.Duration(time) : null);

    public static FileKey<T> Integer(string name, int minimum, int maximum, Func<T, int?> get, Func<T, int, T> set) => new(
        name,
        $"{minimum} to {maximum}",
        (record, value) => set(record, value.Integer(minimum, maximum)),
        record => get(record) is { } number ? TomlLiteral.Integer(number) : null);

    public static FileKey<T> Truth(string name, Func<T, bool> get, Func<T, bool, T> set) =>
        new(name, "true, false", (record, value) => set(record, value.Truth()), record => get(record) ? "true" : "false");

    public static FileKey<T> Texts(string name, int maxCount, Func<T, IReadOnlyList<string>?> get, Func<T, IReadOnlyList<string>, T> set) =>
        Words(name, "a list of texts", (record, value) => set(record, value.Texts(maxCount)), get);

    /// <summary>Arguments: where they are shown, the values of options for secrets are masked.</summary>
    public static FileKey<T> Words(string name, string form, Func<T, FileValue, T> read, Func<T, IReadOnlyList<string>?> get) => new(
        name, form, read, record => get(record) is { } words ? TomlLiteral.Texts(words) : null, record => get(record) is { } words ? TomlLiteral.Texts(SecretNames.Masked(words)) : null);

    public static FileKey<T> Choice<TValue>(string name, IReadOnlyList<(string Word, TValue Value)> choices, Func<T, TValue> get, Func<T, TValue, T> set) => new(
        name,
        string.Join(", ", choices.Select(choice => choice.Word)),
        (record, value) => set(record, value.Choice(choices)),
        record => choices.FirstOrDefault(choice => Equals(choice.Value, get(record))).Word is { } word ? TomlLiteral.Text(word) : null);

    private static string? Literal(string? text) => text is null ? null : TomlLiteral.Text(text);
}

using System.Globalization;

namespace Colibri.Core.Settings;

/// <summary>One variable of the environment, which is a key of the file's <c>[daemon]</c> as well: how it is read into the configuration, and printed from it.</summary>
/// <remarks>
/// What holds where it is not set is what its property begins with, or what is computed from the settings above it in
/// <see cref="DaemonConfiguration.All"/>.
/// </remarks>
public sealed class Setting
{
    /// <summary>What every variable begins with.</summary>
    internal const string Prefix = "COLIBRI_";

    private readonly Func<DaemonConfiguration, SettingSource, DaemonConfiguration> _read;
    private readonly Func<DaemonConfiguration, string> _print;
    private readonly Func<DaemonConfiguration, string> _describe;

    private Setting(
        string name, string help, string form, Func<DaemonConfiguration, SettingSource, DaemonConfiguration> read, Func<DaemonConfiguration, string> print,
        Func<DaemonConfiguration, string>? describe = null, SettingType type = SettingType.Text)
    {
        (Name, Help, Form, _read, _print, _describe, Type) = (name, help, form, read, print, describe ?? print, type);
        Key = name[Prefix.Length..].ToLowerInvariant();
    }

    public string Name { get; }

    /// <summary>Its name in <c>[daemon]</c> of the configuration file.</summary>
    public string Key { get; }

    /// <summary>What the file may hold for it, besides a string.</summary>
    internal SettingType Type { get; }

    /// <summary>What it is for: half a line, lower case, no full stop.</summary>
    public string Help { get; }

    /// <summary>Its bounds, or the words that it is one of; empty where any text or path will do.</summary>
    public string Form { get; }

    /// <summary>What holds where it is not set, in words.</summary>
    public string Default => _describe(DaemonConfiguration.Unset) is { Length: > 0 } described ? described : "none";

    /// <summary>The configuration with this setting as it is in the environment.</summary>
    /// <exception cref="ConfigurationException">It holds what cannot be used.</exception>
    public DaemonConfiguration Read(DaemonConfiguration configuration, SettingSource source) => _read(configuration, source);

    /// <summary>As it would have to be set; empty where nothing is set and nothing holds.</summary>
    public string Print(DaemonConfiguration configuration) => _print(configuration);

    internal static Setting Text(
        string name, string help, Func<DaemonConfiguration, string?> get, Func<DaemonConfiguration, string?, DaemonConfiguration> set) =>
        new(name, help, "", (c, source) => set(c, source.Reader.Text(name) ?? get(c)), c => get(c) ?? "");

    /// <summary>An absolute path.</summary>
    internal static Setting Path(
        string name, string help, Func<DaemonConfiguration, string?> get, Func<DaemonConfiguration, string?, DaemonConfiguration> set) =>
        new(name, help, "", (c, source) => set(c, source.Reader.AbsolutePath(name) ?? get(c)), c => get(c) ?? "");

    /// <summary>A text whose default is computed.</summary>
    internal static Setting Text(
        string name, string help, string byDefault, Func<DaemonConfiguration, SettingSource, string> compute, Func<DaemonConfiguration, string?> get,
        Func<DaemonConfiguration, string, DaemonConfiguration> set) =>
        new(name, help, "", (c, source) => set(c, source.Reader.Text(name) ?? compute(c, source)), c => get(c) ?? "", _ => byDefault);

    /// <summary>An absolute path whose default is computed.</summary>
    internal static Setting Path(
        string name, string help, string byDefault, Func<DaemonConfiguration, SettingSource, string> compute, Func<DaemonConfiguration, string?> get,
        Func<DaemonConfiguration, string, DaemonConfiguration> set) =>
        new(name, help, "", (c, source) => set(c, source.Reader.AbsolutePath(name) ?? compute(c, source)), c => get(c) ?? "", _ => byDefault);

    /// <summary>A text with a form of its own.</summary>
    internal static Setting Parsed<T>(
        string name, string help, Func<EnvironmentReader, string, T> parse, Func<T, string> print, Func<DaemonConfiguration, T> get,
        Func<DaemonConfiguration, T, DaemonConfiguration> set, SettingType type = SettingType.Text) =>
        new(name, help, "", (c, source) => source.Reader.Text(name) is null ? c : set(c, parse(source.Reader, name)), c => print(get(c)), type: type);

    internal static Setting Boolean(
        string name, string help, Func<DaemonConfiguration, bool> get, Func<DaemonConfiguration, bool, DaemonConfiguration> set) =>
        new(name, help, "Boolean", (c, source) => set(c, source.Reader.Boolean(name, get(c))), c => get(c) ? "on" : "off", type: SettingType.Boolean);

    internal static Setting Integer(
        string name, string help, int minimum, int maximum, Func<DaemonConfiguration, int> get, Func<DaemonConfiguration, int, DaemonConfiguration> set) =>
        new(name, help, $"{minimum} to {maximum}", (c, source) => set(c, source.Reader.Integer(name, get(c), minimum, maximum)), c => get(c).ToString(CultureInfo.InvariantCulture), type: SettingType.Integer);

    internal static Setting Duration(
        string name, string help, TimeSpan minimum, TimeSpan maximum, Func<DaemonConfiguration, TimeSpan> get,
        Func<DaemonConfiguration, TimeSpan, DaemonConfiguration> set) => new(
        name,
        help,
        $"{EnvironmentReader.Words(minimum)} to {EnvironmentReader.Words(maximum)}",
        (c, source) => set(c, source.Reader.Duration(name, get(c), minimum, maximum)),
        c => string.Create(CultureInfo.InvariantCulture, $"{get(c).TotalMilliseconds:0.####}ms"),
        c => EnvironmentReader.Words(get(c)),
        SettingType.Duration);

    /// <summary>A length of time that is none where it is not set.</summary>
    internal static Setting Duration(
        string name, string help, TimeSpan minimum, TimeSpan maximum, Func<DaemonConfiguration, TimeSpan?> get,
        Func<DaemonConfiguration, TimeSpan?, DaemonConfiguration> set) => new(
        name,
        help,
        $"{EnvironmentReader.Words(minimum)} to {EnvironmentReader.Words(maximum)}",
        (c, source) => source.Reader.Text(name) is null ? c : set(c, source.Reader.Duration(name, default, minimum, maximum)),
        c => get(c) is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.####}ms") : "",
        type: SettingType.Duration);

    /// <summary>An amount in US dollars, kept in micro-cents.</summary>
    internal static Setting Dollars(
        string name, string help, Func<DaemonConfiguration, long?> get, Func<DaemonConfiguration, long?, DaemonConfiguration> set) => new(
        name,
        help,
        "",
        (c, source) => set(c, source.Reader.Dollars(name)),
        c => get(c) is { } microcents ? (microcents / 100_000_000m).ToString("0.########", CultureInfo.InvariantCulture) : "",
        type: SettingType.Dollars);

    /// <summary>Words as a shell would split them.</summary>
    internal static Setting Words(
        string name, string help, Func<DaemonConfiguration, IReadOnlyList<string>> get, Func<DaemonConfiguration, IReadOnlyList<string>, DaemonConfiguration> set) =>
        new(name, help, "", (c, source) => set(c, source.Reader.Words(name)), c => Joined(get(c)), type: SettingType.Words);

    /// <summary>Words as <see cref="EnvironmentReader.Words(string)"/> would split them again.</summary>
    internal static string Joined(IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    internal static Setting Choice<T>(
        string name, string help, (string Word, T Value)[] choices, Func<DaemonConfiguration, T> get, Func<DaemonConfiguration, T, DaemonConfiguration> set) => new(
        name,
        help,
        OneOf(choices),
        (c, source) => set(c, source.Reader.Choice(name, get(c), choices)),
        c => WordOf(choices, get(c)));

    private static string OneOf<T>((string Word, T Value)[] choices)
    {
        var words = choices[0].Word;
        for (var i = 1; i < choices.Length; i++)
            words += (i < choices.Length - 1 ? ", " : " or ") + choices[i].Word;
        return words;
    }

    private static string WordOf<T>((string Word, T Value)[] choices, T value)
    {
        foreach (var choice in choices)
        {
            if (Equals(choice.Value, value))
                return choice.Word;
        }
        return "";
    }

    private static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsLetterOrDigit(c) || "-_./=:,@%+".Contains(c, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", "'\"'\"'", StringComparison.Ordinal)}'";
}

/// <summary>What the configuration file may hold for a setting; a string as the environment has it will do for each.</summary>
internal enum SettingType
{
    Text,
    Boolean,
    Integer,

    /// <summary>A whole number of seconds too.</summary>
    Duration,

    /// <summary>A number too.</summary>
    Dollars,

    /// <summary>An array of strings too, one for each word.</summary>
    Words,

    /// <summary>An array of strings too, one for each entry between commas.</summary>
    List,
}

/// <summary>Where settings come from.</summary>
/// <param name="Reader">The environment.</param>
/// <param name="IsWritableDirectory">Whether a directory is there and this user may create files in it.</param>
/// <param name="HostName">The host's own name.</param>
public sealed record SettingSource(EnvironmentReader Reader, Func<string, bool> IsWritableDirectory, string HostName);

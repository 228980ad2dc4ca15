using System.Globalization;

namespace Colibri.Core.Settings;

/// <summary><c>[daemon]</c> of the configuration file: every setting of <see cref="DaemonConfiguration.All"/> under its name in lower case without the prefix.</summary>
internal static class DaemonSection
{
    public const string Name = "daemon";

    private static readonly Dictionary<string, Setting> ByKey = DaemonConfiguration.All.ToDictionary(setting => setting.Key, StringComparer.Ordinal);

    public static bool Has(string key) => ByKey.ContainsKey(key);

    /// <summary>What the section states, as the environment would.</summary>
    public static Dictionary<string, string> Read(TomlTable table, FileReading reading)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, entry) in table.Entries)
        {
            var shown = $"{Name}.{TomlLiteral.Key(key)}";
            if (SecretNames.LooksLikeOne(key))
            {
                reading.Mistakes.Add(entry.At, SecretNames.Refusal(shown));
            }
            else if (!ByKey.TryGetValue(key, out var setting))
            {
                reading.Mistakes.Add(entry.At, () => Unknown(shown, key));
            }
            else if (TextOf(setting.Type, entry.Value) is not { } text)
            {
                reading.Mistakes.Add(entry.At, $"{shown} = {FileValue.Shown(entry.Value)} cannot be used: {Remedy(setting)}");
            }
            else if (Problem(setting, text) is { } remedy)
            {
                reading.Mistakes.Add(entry.At, $"{shown} = {FileValue.Shown(entry.Value)} cannot be used: {remedy}");
            }
            else if (text.Length > 0)
            {
                variables.Add(setting.Name, text);
                reading.Stated[shown] = entry.At;
            }
        }
        return variables;
    }

    private static string Unknown(string shown, string key)
    {
        var bare = key.ToLowerInvariant();
        if (bare.StartsWith(Setting.Prefix, StringComparison.OrdinalIgnoreCase))
            bare = bare[Setting.Prefix.Length..];
        return $"{EnvironmentReader.Printable(shown)} is not known{UnknownNames.DidYouMean(bare, ByKey.Keys)}; the keys are the variables of colibri-daemon --help, in lower case and without COLIBRI_";
    }

    private static string? Problem(Setting setting, string text)
    {
        if (text.Length == 0)
            return null;
        try
        {
            var source = new SettingSource(new EnvironmentReader(new Dictionary<string, string> { [setting.Name] = text }), static _ => false, "");
            setting.Read(DaemonConfiguration.Unset, source);
            return null;
        }
        catch (ConfigurationException e)
        {
            return e.Remedy ?? e.Message;
        }
    }

    /// <summary>The value as the environment would have it; null where it is of the wrong kind.</summary>
    private static string? TextOf(SettingType type, TomlValue value) => (type, value) switch
    {
        (_, TomlText text) => text.Value.Contains('\0') ? null : text.Value,
        (SettingType.Boolean, TomlBoolean boolean) => boolean.Value ? "on" : "off",
        (SettingType.Integer or SettingType.Duration or SettingType.Dollars, TomlInteger integer) => TomlLiteral.Integer(integer.Value),
        (SettingType.Dollars, TomlNumber { Value: >= 0 and <= 1e12 } number) => ((decimal)number.Value).ToString(CultureInfo.InvariantCulture),
        (SettingType.Words, TomlArray array) => Joined(array, static _ => true) is { } words ? Setting.Joined(words) : null,
        (SettingType.List, TomlArray array) => Joined(array, static entry => !entry.Contains(',')) is { } entries ? string.Join(',', entries) : null,
        _ => null,
    };

    private static List<string>? Joined(TomlArray array, Predicate<string> isRight)
    {
        List<string> texts = [];
        foreach (var item in array.Items)
        {
            if (item is not TomlText { Value: var text } || text.Contains('\0') || !isRight(text))
                return null;
            texts.Add(text);
        }
        return texts;
    }

    private static string Remedy(Setting setting) => setting.Type switch
    {
        SettingType.Boolean => "use true or false",
        SettingType.Integer => $"use a whole number, {setting.Form}",
        SettingType.Duration => $"use a duration in quotes such as \"30s\" or \"4h\", {setting.Form}",
        SettingType.Dollars => "use a number of US dollars such as 2.0",
        SettingType.Words => "use a list of strings such as [\"--mode\", \"json\"]",
        SettingType.List => "use a list of strings such as [\"one\", \"two\"], without commas in them",
        _ => setting.Form.Length == 0 ? "use a text in quotes" : $"use a text in quotes: {setting.Form}",
    };
}

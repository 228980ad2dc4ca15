using Colibri.Protocol;

namespace Colibri.Core.Settings;

/// <summary>What is said of a key or a variable that nobody knows.</summary>
internal static class UnknownNames
{
    /// <summary>Variables that are ours without being settings: what names the file, what agents are told, and what builds and tests use.</summary>
    internal static readonly IReadOnlyList<string> NoSettings =
    [
        SettingsFile.Variable,
        "COLIBRI_AGENT_ID", "COLIBRI_SESSION_ID", "COLIBRI_TASK_ID",
        "COLIBRI_BIN", "COLIBRI_BIN_DIR", "COLIBRI_STATIC_BIN_DIR", "COLIBRI_BUILD_LOCK", "COLIBRI_MCP_WRITE", "COLIBRI_MCP_EXTERNAL", "COLIBRI_WEB_OPTIONS", "COLIBRI_WEB_OTLP", "COLIBRI_CHECKOUT", "COLIBRI_IMAGE_KIB",
        "COLIBRI_TEST_CACHE", "COLIBRI_TEST_LEG", "COLIBRI_TEST_TRACE",
    ];

    /// <summary>A key that its table has not.</summary>
    /// <param name="shown">The key with its sections.</param>
    /// <param name="name">The key.</param>
    /// <param name="known">The table's keys.</param>
    public static string Key(string shown, string name, IEnumerable<string> known)
    {
        var names = known.ToList();
        return $"{EnvironmentReader.Printable(shown)} is not known{DidYouMean(name, names)}; there are {string.Join(", ", names)}";
    }

    public static string DidYouMean(string name, IEnumerable<string> known) => Nearest.To(name, known) is { } nearest ? $", did you mean {nearest}?" : "";

    /// <summary>Variables of an environment that begin as ours do and are none, in the order of their names.</summary>
    public static IReadOnlyList<UnknownVariable> In(IReadOnlyDictionary<string, string> environment)
    {
        var known = DaemonConfiguration.All.Select(setting => setting.Name).Concat(NoSettings).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. environment.Keys.Where(name => name.StartsWith(Setting.Prefix, StringComparison.Ordinal) && !known.Contains(name)).Order(StringComparer.Ordinal)
                .Select(name => new UnknownVariable(EnvironmentReader.Printable(name), Nearest.To(name, DaemonConfiguration.All.Select(setting => setting.Name).Append(SettingsFile.Variable)))),
        ];
    }
}

/// <summary>A variable that looks like a setting and is none.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Nearest">The setting that was probably meant; null where none is near.</param>
public sealed record UnknownVariable(string Name, string? Nearest)
{
    /// <summary>What is said behind it.</summary>
    public string Hint => Nearest is null ? "" : $", did you mean {Nearest}?";
}

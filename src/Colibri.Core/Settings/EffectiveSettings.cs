using Colibri.Protocol.Wire;

namespace Colibri.Core.Settings;

/// <summary>All that holds, key by key, to be printed and compared.</summary>
public static class EffectiveSettings
{
    /// <summary>What only the file can state: a section for each profile, workspace, group and notice, and retention.</summary>
    public static IReadOnlyList<EffectiveSection> SectionsOf(ColibriSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return
        [
            .. settings.Agents.Select(profile => Section("agents", profile.Name, ProfileKeys.All, profile)),
            .. settings.Workspaces.Select(workspace => Section("workspaces", workspace.Name, WorkspaceKeys.All, workspace)),
            .. settings.Groups.Select(group => Section("groups", group.Name, GroupSettings.Keys, group)),
            .. settings.Notify.Select(notify => Section("notify", notify.Name, NotifySettings.Keys, notify)),
            new EffectiveSection("retention", Values(RetentionKeys.All, settings.Retention)),
        ];
    }

    /// <summary>What differs between two, in the order of the sections: a section that is new or gone is one change. Values that are not for eyes are left out.</summary>
    public static IReadOnlyList<ChangedSetting> Changes(ColibriSettings from, ColibriSettings to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        List<ChangedSetting> changes = [.. DaemonChanges(from.Daemon, to.Daemon)];
        var (before, after) = (SectionsOf(from), SectionsOf(to));
        var earlier = before.ToDictionary(section => section.Key, StringComparer.Ordinal);
        var later = after.Select(section => section.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var section in after)
        {
            if (earlier.TryGetValue(section.Key, out var old))
                changes.AddRange(Changes(section.Key, old.Values, section.Values));
            else
                changes.Add(new ChangedSetting(section.Key, null, First(section)));
        }
        changes.AddRange(before.Where(section => !later.Contains(section.Key)).Select(section => new ChangedSetting(section.Key, First(section), null)));
        // Which profile comes first is which one is tried first.
        var (old1, new1) = (NamesOf(from).Where(NamesOf(to).Contains).ToList(), NamesOf(to).Where(NamesOf(from).Contains).ToList());
        if (!old1.SequenceEqual(new1))
            changes.Add(new ChangedSetting("agents", TomlLiteral.Texts(NamesOf(from)), TomlLiteral.Texts(NamesOf(to))));
        return changes;
    }

    internal static IEnumerable<ChangedSetting> DaemonChanges(DaemonConfiguration from, DaemonConfiguration to)
    {
        foreach (var setting in DaemonConfiguration.All)
        {
            var (before, after) = (setting.Print(from), setting.Print(to));
            if (before == after)
                continue;
            var (shown, now) = (Shown(setting, before), Shown(setting, after));
            yield return new ChangedSetting($"{DaemonSection.Name}.{setting.Key}", shown == now ? null : shown, shown == now ? null : now);
        }
    }

    private static string? Shown(Setting setting, string printed)
    {
        if (printed.Length == 0)
            return null;
        return setting.Type == SettingType.Words
            ? Setting.Joined(SecretNames.Masked(new EnvironmentReader(new Dictionary<string, string> { [setting.Name] = printed }).Words(setting.Name)))
            : printed;
    }

    private static IEnumerable<ChangedSetting> Changes(string section, IReadOnlyList<EffectiveValue> before, IReadOnlyList<EffectiveValue> after)
    {
        foreach (var (old, now) in before.Zip(after))
        {
            if (old.Exact == now.Exact)
                continue;
            // Two that look alike differ in what is not for eyes.
            var isSeen = old.Shown != now.Shown;
            yield return new ChangedSetting($"{section}.{now.Name}", isSeen ? old.Shown : null, isSeen ? now.Shown : null);
        }
    }

    private static EffectiveSection Section<T>(string section, string name, IReadOnlyList<FileKey<T>> keys, T record) => new($"{section}.{TomlLiteral.Key(name)}", Values(keys, record));

    private static IReadOnlyList<EffectiveValue> Values<T>(IReadOnlyList<FileKey<T>> keys, T record) =>
        [.. keys.Select(key => new EffectiveValue(key.Name, key.Show(record), key.Print(record)))];

    private static string? First(EffectiveSection section) => section.Values[0] is { Shown: { } shown } first ? $"{first.Name} = {shown}" : null;

    private static List<string> NamesOf(ColibriSettings settings) => [.. settings.Agents.Select(profile => profile.Name)];
}

/// <summary>A section of the file as it holds.</summary>
/// <param name="Key">As <c>agents.claude</c>.</param>
/// <param name="Values">Every key of it in a fixed order.</param>
public sealed record EffectiveSection(string Key, IReadOnlyList<EffectiveValue> Values);

/// <summary>One value of a section.</summary>
/// <param name="Name">The key.</param>
/// <param name="Shown">The value for eyes; null where nothing is set and nothing holds.</param>
/// <param name="Exact">The value itself, for comparisons alone.</param>
public sealed record EffectiveValue(string Name, string? Shown, string? Exact);

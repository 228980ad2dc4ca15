namespace Colibri.Core.Settings;

/// <summary>Reads all that is configured: the file, and over it the environment.</summary>
/// <param name="environment">The process environment.</param>
/// <param name="isWritableDirectory">Whether a directory is there and this user may create files in it.</param>
/// <param name="hostName">The host's own name, where nothing states one.</param>
public sealed class SettingsReader(IReadOnlyDictionary<string, string> environment, Func<string, bool> isWritableDirectory, string hostName)
{
    public const int MaxProfiles = 256;
    public const int MaxWorkspaces = 1_024;
    public const int MaxNotices = 64;
    public const int MaxGroups = 1_024;

    private const int MaxNameLength = 64;
    private const string Agents = "agents";
    private const string Workspaces = "workspaces";
    private const string Groups = "groups";
    private const string Notify = "notify";
    private const string Retention = "retention";

    private static readonly string[] Sections = [DaemonSection.Name, Agents, Workspaces, Groups, Notify, Retention];

    /// <summary>Reads file and environment as they are now.</summary>
    /// <exception cref="ConfigurationException">There is a mistake in either: nothing of what was read holds then.</exception>
    public SettingsReading Read() => Read(SettingsFile.Find(environment, Path.Exists), SettingsFile.Read);

    /// <summary>1 to 64 of <c>a-z A-Z 0-9 . _ -</c>, beginning with a letter or a digit.</summary>
    internal static bool IsName(string name) =>
        name.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    internal SettingsReading Read(string? file, Func<string, string> textOf)
    {
        var reading = new FileReading(file ?? "");
        var root = file is null ? new TomlTable() : TomlTree.Parse(textOf(file), reading.Mistakes);
        reading.Mistakes.ThrowIfAny();

        foreach (var (name, entry) in root.Entries)
        {
            if (SecretNames.LooksLikeOne(name))
                reading.Mistakes.Add(entry.At, SecretNames.Refusal(name));
            else if (!Sections.Contains(name))
                reading.Mistakes.Add(entry.At, () => DaemonSection.Has(name) ? $"{name} stands before the first section; it is a key of [daemon]" : UnknownNames.Key(name, name, Sections));
            else if (entry.Value is not TomlTable)
                reading.Mistakes.Add(entry.At, $"{name} = {FileValue.Shown(entry.Value)} cannot be used: it is a section, [{name}]");
        }
        var stated = DaemonSection.Read(Section(root, DaemonSection.Name), reading);
        var profiles = ReadNamed(
            root, Agents, MaxProfiles, reading, ProfileKeys.All, name => new ProfileSettings { Name = name, Kind = "" },
            (profile, table, at, shown) => Check(profile, table, at, shown, reading));
        var workspaces = ReadNamed(
            root, Workspaces, MaxWorkspaces, reading, WorkspaceKeys.All, name => new WorkspaceSettings { Name = name, Path = "" },
            (workspace, table, at, shown) => Check(workspace, table, at, shown, Section(root, Agents), reading));
        var groups = ReadNamed(
            root, Groups, MaxGroups, reading, GroupSettings.Keys, name => new GroupSettings { Name = name },
            (_, table, at, shown) => Check(table, at, shown, reading));
        var notices = ReadNamed(
            root, Notify, MaxNotices, reading, NotifySettings.Keys, name => new NotifySettings { Name = name },
            (notify, table, at, shown) => Check(notify, table, at, shown, reading));
        var retention = reading.Read(Retention, Section(root, Retention), RetentionKeys.All, new RetentionSettings());
        reading.Mistakes.ThrowIfAny();

        foreach (var (name, value) in environment)
        {
            // An empty variable counts as unset, so the file's value stays.
            if (value.Length > 0)
                stated[name] = value;
        }
        return new SettingsReading
        {
            Settings = new ColibriSettings
            {
                Daemon = DaemonConfiguration.Read(stated, isWritableDirectory, hostName),
                Agents = profiles,
                Workspaces = workspaces,
                Groups = groups,
                Retention = retention,
                Notify = notices,
                File = file,
            },
            Stated = reading.Stated,
            FromEnvironment = DaemonConfiguration.All.Select(setting => setting.Name).Where(name => environment.TryGetValue(name, out var value) && value.Length > 0).ToHashSet(StringComparer.Ordinal),
            Unknown = UnknownNames.In(environment),
        };
    }

    private static TomlTable Section(TomlTable root, string name) => root.Entries.TryGetValue(name, out var entry) && entry.Value is TomlTable table ? table : new TomlTable();

    private static List<T> ReadNamed<T>(
        TomlTable root, string section, int most, FileReading reading, IReadOnlyList<FileKey<T>> keys, Func<string, T> start,
        Action<T, TomlTable, FilePlace, string> check)
    {
        List<T> records = [];
        foreach (var (name, entry) in Section(root, section).Entries)
        {
            var shown = $"{section}.{TomlLiteral.Key(name)}";
            if (!IsName(name))
            {
                reading.Mistakes.Add(entry.At, $"{EnvironmentReader.Printable(shown)} has a name that cannot be used: use 1 to {MaxNameLength} letters, digits, dots, _ and -, beginning with a letter or a digit");
            }
            else if (entry.Value is not TomlTable table)
            {
                reading.Mistakes.Add(entry.At, $"{shown} = {FileValue.Shown(entry.Value)} cannot be used: write [{section}.NAME], and the keys below it");
            }
            else if (records.Count == most)
            {
                reading.Mistakes.Add(entry.At, $"{shown} is one too many: at most {most} of [{section}.NAME]");
                break;
            }
            else
            {
                var record = reading.Read(shown, table, keys, start(name));
                check(record, table, entry.At, shown);
                records.Add(record);
            }
        }
        return records;
    }

    private static void Check(ProfileSettings profile, TomlTable table, FilePlace at, string shown, FileReading reading)
    {
        // A key that is there and cannot be used is told already.
        if (!table.Entries.ContainsKey("kind"))
            reading.Mistakes.Add(at, $"{shown} has no kind; use kind = one of {string.Join(", ", Protocol.Runtimes.All)}");
        else if (Protocol.Runtimes.Kinds.FirstOrDefault(kind => kind.Name == profile.Kind) is not { } kind)
            return;
        else if (profile.Transport is { } transport && !kind.Transports.Contains(TransportNames.Of(transport)))
            reading.Mistakes.Add(table.Entries["transport"].At, $"{shown}.transport is \"{TransportNames.Of(transport)}\", and the kind {profile.Kind} has {string.Join(", ", kind.Transports)}");
        else if (kind.NeedsBinary && !table.Entries.ContainsKey("binary"))
            reading.Mistakes.Add(at, $"{shown} is of kind {profile.Kind} and has no binary; name the program");
    }

    private static void Check(WorkspaceSettings workspace, TomlTable table, FilePlace at, string shown, TomlTable agents, FileReading reading)
    {
        if (!table.Entries.ContainsKey("path"))
            reading.Mistakes.Add(at, $"{shown} has no path; use path = the absolute path of a git repository");
        foreach (var name in workspace.Agents.Where(name => !agents.Entries.ContainsKey(name)))
        {
            reading.Mistakes.Add(
                table.Entries["agents"].At,
                () => $"{shown}.agents names {TomlLiteral.Text(name)}, and there is no [agents.{TomlLiteral.Key(name)}]{UnknownNames.DidYouMean(name, agents.Entries.Keys)}");
        }
    }

    private static void Check(TomlTable group, FilePlace at, string shown, FileReading reading)
    {
        if (!group.Entries.ContainsKey("limit"))
            reading.Mistakes.Add(at, $"{shown} has no limit; use limit = 1 to {GroupSettings.MaxLimit}: the most of its tasks that run at once");
    }

    private static void Check(NotifySettings notify, TomlTable table, FilePlace at, string shown, FileReading reading)
    {
        if (table.Entries.TryGetValue("on", out var on) && on.Value is TomlArray { Items.Count: 0 })
            reading.Mistakes.Add(on.At, $"{shown}.on is empty; use \"all\", or a list of {string.Join(", ", NotifySettings.Events)}");
        if (NotifySettings.WhyNot(notify, table.Entries.ContainsKey) is { } problem)
            reading.Mistakes.Add(at, $"{shown} {problem}");
    }
}

/// <summary>What was read, and where each value comes from.</summary>
public sealed record SettingsReading
{
    private const string Default = "default";

    public required ColibriSettings Settings { get; init; }

    /// <summary>Every key that the file states, as <c>agents.claude.max</c>, and where.</summary>
    public required IReadOnlyDictionary<string, FilePlace> Stated { get; init; }

    /// <summary>The settings that the environment states.</summary>
    public required IReadOnlySet<string> FromEnvironment { get; init; }

    /// <summary>Variables that look like settings and are none.</summary>
    public required IReadOnlyList<UnknownVariable> Unknown { get; init; }

    /// <summary>Whether file or environment state a setting of the daemon.</summary>
    public bool IsStated(Setting setting) => OriginOf(setting) != Default;

    /// <summary>Where a setting of the daemon comes from: <c>environment</c>, a place of the file, or <c>default</c>.</summary>
    public string OriginOf(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return FromEnvironment.Contains(setting.Name) ? "environment" : OriginOf($"{DaemonSection.Name}.{setting.Key}");
    }

    /// <summary>The same for a key of the file.</summary>
    public string OriginOf(string key) => Stated.TryGetValue(key, out var place) ? $"{Settings.File}:{place.Line}" : Default;
}

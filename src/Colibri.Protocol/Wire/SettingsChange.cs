namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>reload</c>.</summary>
/// <param name="File">The configuration file that was read; absent where there is none.</param>
/// <param name="Changed">What differs from what was in force.</param>
/// <param name="RestartNeeded">The keys among them that hold only after a restart.</param>
public sealed record SettingsChange(string? File, IReadOnlyList<ChangedSetting> Changed, IReadOnlyList<string> RestartNeeded);

/// <summary>One setting that differs.</summary>
/// <param name="Key">As in the file: <c>agents.claude.max</c>; <c>agents.claude</c> for a section that is new or gone.</param>
/// <param name="From">What was in force; absent where nothing was, and where the value is not for eyes.</param>
/// <param name="To">What the file or the environment says now; absent where it is nothing, and where the value is not for eyes.</param>
public sealed record ChangedSetting(string Key, string? From, string? To);

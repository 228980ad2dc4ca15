using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// What <c>--check-config</c> prints: the daemon's settings as variables, then the file's sections. A comment before settings says where they come from;
/// a comment behind a section's value does.
/// </summary>
internal static class ConfigurationReport
{
    private const int Width = 80;
    private const int ValueWidth = 46;

    public static IEnumerable<string> Of(SettingsReading reading)
    {
        string? told = null;
        foreach (var setting in DaemonConfiguration.All)
        {
            var origin = reading.OriginOf(setting);
            if (origin != told)
                yield return $"# {origin}";
            told = origin;
            yield return OneLine($"{setting.Name}={setting.Print(reading.Settings.Daemon)}");
        }
        foreach (var section in EffectiveSettings.SectionsOf(reading.Settings))
        {
            yield return "";
            yield return $"[{section.Key}]";
            foreach (var value in section.Values.Where(value => value.Shown is not null))
            {
                var (line, origin) = (OneLine($"{value.Name} = {value.Shown}"), $"# {reading.OriginOf($"{section.Key}.{value.Name}")}");
                if (Math.Max(line.Length, ValueWidth) + 1 + origin.Length <= Width)
                {
                    yield return $"{line.PadRight(ValueWidth)} {origin}";
                }
                else
                {
                    yield return origin;
                    yield return line;
                }
            }
        }
    }

    /// <summary>What of the profiles is not as it looks: a line for each that its kind cannot hold to its access.</summary>
    public static IEnumerable<string> Warnings(SettingsReading reading) =>
        from candidate in SchedulerCandidates.From(reading.Settings, new ProgramPath(null, null, "/"), [])
        where candidate.Profile is not null
        let told = ToldAccess.Of(candidate.Template)
        let words = told.Refusal is { } refusal ? $"it takes no tasks: {refusal}" : told.Warning is { } warning ? $"its runs count as full access: {warning}" : null
        where words is not null
        select OneLine($"profile {candidate.Name}: {words}");

    private static string OneLine(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
}

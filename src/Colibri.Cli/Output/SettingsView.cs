using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What a reload changed, for a person.</summary>
internal static class SettingsView
{
    public static void Write(Screen screen, SettingsChange change)
    {
        screen.Line(change.File is null ? "there is no configuration file" : $"read {Words.Plain(change.File)}");
        if (change.Changed.Count == 0)
            screen.Line("nothing changed");
        foreach (var one in change.Changed)
        {
            var needsRestart = change.RestartNeeded.Contains(one.Key);
            screen.Prose([Words.Plain($"{one.Key}: {What(one)}{(needsRestart ? " (after a restart)" : "")}")], 0);
        }
    }

    private static string What(ChangedSetting change) => (change.From, change.To) switch
    {
        (null, null) => "changed",
        (null, { } to) => $"now {to}",
        ({ } from, null) => $"no longer {from}",
        ({ } from, { } to) => $"{from} is now {to}",
    };
}

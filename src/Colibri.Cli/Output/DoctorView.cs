using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What was looked at, group by group, with what to type, and a line that sums it up.</summary>
internal static class DoctorView
{
    private const int Indent = 2;
    private const int StateWidth = 9;
    private const int WidestName = 18;
    private const int Gap = 2;

    public static void Write(Screen screen, IReadOnlyList<DoctorCheck> checks)
    {
        var nameWidth = checks.Select(check => Columns.Of(Words.Plain(check.Name))).Where(width => width <= WidestName).DefaultIfEmpty(0).Max();
        string? group = null;
        foreach (var check in checks)
        {
            if (check.Group != group)
                screen.Line(screen.Paint(Words.Plain(check.Group), Tone.Strong));
            group = check.Group;
            WriteCheck(screen, check, nameWidth);
        }
        if (checks.Count > 0)
            screen.Line();
        screen.Line(Sum(checks));
    }

    private static void WriteCheck(Screen screen, DoctorCheck check, int nameWidth)
    {
        var name = Words.Plain(check.Name);
        var margin = Indent + StateWidth + nameWidth + Gap;
        var state = new string(' ', Indent) + screen.Paint(Columns.PadRight(Words.Of(check.State), StateWidth), ToneOf(check.State));
        var lines = Columns.Wrap(Words.Plain(check.Message), screen.Width - margin).ToList();
        // A long name has a line of its own.
        var isLong = Columns.Of(name) > nameWidth;
        screen.Line(state + (isLong ? name : Columns.PadRight(name, nameWidth + Gap) + lines[0]));
        foreach (var line in lines.Skip(isLong ? 0 : 1))
            screen.Line(new string(' ', margin) + line);
        if (check.Fix is { } fix)
        {
            // It begins below the name, so that most of what is to be typed stands on one line and can be copied.
            const int FixMargin = Indent + StateWidth;
            foreach (var line in Columns.Wrap($"fix: {Words.Plain(fix)}", screen.Width - FixMargin))
                screen.Line(new string(' ', FixMargin) + screen.Paint(line, Tone.Strong));
        }
    }

    private static string Sum(IReadOnlyList<DoctorCheck> checks)
    {
        int Number(DoctorState state) => checks.Count(check => check.State == state);
        List<string> parts = [];
        if (Number(DoctorState.Error) is > 0 and var errors)
            parts.Add(Words.Count(errors, "error"));
        if (Number(DoctorState.Warning) is > 0 and var warnings)
            parts.Add(Words.Count(warnings, "warning"));
        if (Number(DoctorState.Note) is > 0 and var notes)
            parts.Add(Words.Count(notes, "note"));
        parts.Add($"{Words.Number(Number(DoctorState.Ok))} ok");
        return string.Join(", ", parts);
    }

    private static Tone ToneOf(DoctorState state) => state switch
    {
        DoctorState.Ok => Tone.Good,
        DoctorState.Warning => Tone.Attention,
        DoctorState.Error => Tone.Bad,
        _ => Tone.Quiet,
    };
}

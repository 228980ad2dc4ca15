using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>The kinds of agents for a person: a line each, or one whole.</summary>
internal static class KindView
{
    private const int LabelWidth = 11;

    public static void Table(Screen screen, KindList list)
    {
        var table = new Table("KIND", "INSTALLED", "VERSION", "SPEAKS", new TableColumn("TELLS", Flexible: true), "CAN");
        foreach (var kind in list.Kinds)
        {
            table.Add(
                kind.Name,
                new TableCell(kind.Path is null ? "no" : "yes", kind.Path is null ? Tone.Quiet : kind.Problem is null ? Tone.Good : Tone.Bad),
                Words.Plain(Number(kind.Version)),
                string.Join(' ', kind.Transports),
                Tells(kind.Tells),
                string.Join(' ', kind.Can));
            if (kind.DocumentedOnly is true)
                table.Below("from documents only");
            if (kind.Problem is { } problem)
                table.Below(kind.Path is { } path ? $"{path}: {problem}" : problem);
            foreach (var profile in kind.Profiles.Where(profile => profile.Problem is not null))
                table.Below($"profile {profile.Name}: {profile.Problem}");
        }
        table.Write(screen);
        screen.Line();
        screen.Line("one whole, with what holds it: colibri agents KIND; all: colibri agents -v");
    }

    public static void Whole(Screen screen, KindList list)
    {
        for (var i = 0; i < list.Kinds.Count; i++)
        {
            if (i > 0)
                screen.Line();
            Whole(screen, list.Kinds[i]);
        }
    }

    private static void Whole(Screen screen, KindReport kind)
    {
        void Field(string label, string value, Tone tone = Tone.Plain) => screen.Field(label, Words.Plain(value), LabelWidth, tone);

        Field("kind", $"{kind.Name}: {kind.Title}{(kind.DocumentedOnly is true ? ", from documents only" : "")}", Tone.Strong);
        Field("program", kind.Path ?? $"{kind.Program}, which is not on the daemon's search path");
        if (kind.Version is { } version)
            Field("version", version);
        if (kind.Problem is { } problem)
            Field("problem", problem, Tone.Bad);
        Field("speaks", string.Join(", ", kind.Transports));
        Field("arguments", string.Join(' ', kind.Arguments));
        Field("tells", string.Join(", ", Told(kind.Tells, isTold: true)));
        if (string.Join(", ", Told(kind.Tells, isTold: false)) is { Length: > 0 } hidden)
            Field("tells not", hidden);
        Field("can", kind.Can.Count == 0 ? "nothing of resume, steer, answer, cancel" : string.Join(", ", kind.Can));
        foreach (var access in kind.Access)
            Field(access.Access, access.Words, access.Held ? Tone.Plain : Tone.Attention);
        foreach (var profile in kind.Profiles)
        {
            var program = profile.Binary is null ? "" : $", {profile.Path ?? profile.Binary}{(profile.Version is { } own ? $" {own}" : "")}";
            Field("profile", $"{profile.Name}: {profile.Access ?? "its own arguments"}{program}{(profile.Problem is { } why ? $"; {why}" : "")}", profile.Problem is null ? Tone.Plain : Tone.Attention);
        }
    }

    /// <summary>The first word of a version that has a digit: the table has no room for more.</summary>
    private static string Number(string? version) =>
        version?.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(word => word.Any(char.IsAsciiDigit))?.TrimEnd('.') ?? version ?? "-";

    private static string Tells(KindTold tells) => string.Join(", ", Told(tells, isTold: false)) is { Length: > 0 } hidden ? $"not {hidden}" : "all";

    private static IEnumerable<string> Told(KindTold tells, bool isTold)
    {
        if (tells.Usage != "never" == isTold)
            yield return isTold ? $"usage {When(tells.Usage)}" : "usage";
        if (tells.Cost != "never" == isTold)
            yield return isTold ? $"cost {When(tells.Cost)}" : "cost";
        if (tells.Turns == isTold)
            yield return "turns";
        if (tells.Refusals == isTold)
            yield return "refusals";
        if (tells.TokenLimit == isTold)
            yield return isTold ? "the token limit" : "token limit";
        if (tells.Failures == isTold)
            yield return "failures";
    }

    private static string When(string told) => told.Replace('-', ' ');
}

using Colibri.Protocol;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>The kinds of agents for a person: a line each, or one whole.</summary>
internal static class KindView
{
    private const int LabelWidth = 11;

    public static void Table(Screen screen, KindList list)
    {
        var table = new Table("KIND", "INSTALLED", "SPEAKS", new TableColumn("TELLS NOT", Flexible: true));
        foreach (var kind in list.Kinds)
        {
            table.Add(
                kind.Name,
                Installed(kind),
                string.Join(' ', kind.Transports),
                string.Join(", ", Told(kind.Tells, isTold: false)));
            if (kind.DocumentedOnly is true)
                table.Below("from documents only");
            if (kind.Problem is { } problem)
                table.Below(kind.Path is { } path ? $"{path}: {problem}" : problem);
            foreach (var profile in kind.Profiles.Where(profile => profile.Problem is not null))
                table.Below($"profile {profile.Name}: {profile.Problem}");
        }
        table.Write(screen);
        screen.Line();
        screen.Line("one whole, with what it can and what holds it: colibri agents KIND; all: -v");
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
        Field("program", IsAny(kind) ? "any: the one that a profile or a request names" : kind.Path ?? $"{kind.Program}, which is not on the daemon's search path");
        if (kind.Version is { } version)
            Field("version", version);
        if (kind.Problem is { } problem)
            Field("problem", problem, Tone.Bad);
        Field("speaks", string.Join(", ", kind.Transports));
        if (kind.Arguments.Count > 0)
            Field("arguments", string.Join(' ', kind.Arguments));
        Field("tells", string.Join(", ", Told(kind.Tells, isTold: true)));
        if (string.Join(", ", Told(kind.Tells, isTold: false)) is { Length: > 0 } hidden)
            Field("tells not", hidden);
        Field("can", kind.Can.Count == 0 ? "nothing of resume, steer, answer, cancel" : string.Join(", ", kind.Can));
        foreach (var access in kind.Access)
        {
            Field(access.Access, access.Words, access.Held ? Tone.Plain : Tone.Attention);
            foreach (var over in kind.AccessOver?.Where(over => over.Access == access.Access) ?? [])
                Field("", $"over {over.Transport}: {over.Words}", over.Held ? Tone.Plain : Tone.Attention);
        }
        foreach (var profile in kind.Profiles)
        {
            var program = profile.Binary is null ? "" : $", {profile.Path ?? profile.Binary}{(profile.Version is { } own ? $" {own}" : "")}";
            Field("profile", $"{profile.Name}: {profile.Access ?? "its own arguments"}{program}{(profile.Problem is { } why ? $"; {why}" : "")}", profile.Problem is null ? Tone.Plain : Tone.Attention);
        }
    }

    /// <summary>The version of what is there, or in a word whether it is.</summary>
    private static TableCell Installed(KindReport kind) =>
        IsAny(kind) ? new TableCell("-", Tone.Quiet)
        : kind.Path is null ? new TableCell("no", Tone.Quiet)
        : new TableCell(kind.Problem is not null ? "wrong" : Words.Plain(Number(kind.Version)), kind.Problem is not null ? Tone.Bad : Tone.Good);

    /// <summary>It stands for any program, so none is looked for.</summary>
    private static bool IsAny(KindReport kind) => Runtimes.Kinds.FirstOrDefault(known => known.Name == kind.Name) is { NeedsBinary: true };

    /// <summary>The first word of a version that has a digit: the table has no room for more.</summary>
    private static string Number(string? version) =>
        version?.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(word => word.Any(char.IsAsciiDigit))?.TrimEnd('.') ?? version ?? "yes";

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

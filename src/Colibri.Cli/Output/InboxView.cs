using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>What waits for a person: kind by kind, each with what to type.</summary>
internal static class InboxView
{
    private const int Indent = 2;
    private const int NameWidth = 6;
    private const int AgeWidth = 5;

    public static void Write(Screen screen, InboxReport inbox)
    {
        if (inbox.Items.Count == 0)
        {
            screen.Line("nothing waits for you");
            return;
        }
        InboxKind? kind = null;
        foreach (var item in inbox.Items)
        {
            if (item.Kind != kind)
            {
                if (kind is not null)
                    screen.Line();
                var number = inbox.Items.Count(other => other.Kind == item.Kind);
                screen.Line(screen.Paint(Heading(item.Kind, number), ToneOf(item.Kind)));
            }
            kind = item.Kind;
            WriteItem(screen, item);
        }
        if (inbox.More is { } more)
        {
            screen.Line();
            screen.Line($"and {Words.Number(more)} more: colibri list-tasks");
        }
    }

    private static void WriteItem(Screen screen, InboxItem item)
    {
        var name = item.Number is > 0 and var number ? Words.Number(number).Replace(",", "", StringComparison.Ordinal) : item.Label ?? "";
        var margin = Indent + NameWidth + AgeWidth;
        var head = new string(' ', Indent) + Columns.PadRight(name, NameWidth) + Columns.PadRight(Words.Age(screen.Now - item.Since), AgeWidth);
        IEnumerable<string> texts = item.Title is { } title ? [title, item.Message] : [item.Message];
        var first = true;
        foreach (var text in texts)
        {
            var lines = Columns.Wrap(Words.Plain(text), screen.Width - margin).ToList();
            // The whole of a long error is in get-task.
            foreach (var line in lines.Count > MostLines ? [.. lines.Take(MostLines - 1), Columns.Cut(lines[MostLines - 1] + Columns.Ellipsis, screen.Width - margin)] : lines)
            {
                screen.Line((first ? head : new string(' ', margin)) + (first && item.Title is not null ? screen.Paint(line, Tone.Strong) : line));
                first = false;
            }
        }
        foreach (var line in Columns.Wrap(Type(item), screen.Width - margin))
            screen.Line(new string(' ', margin) + screen.Paint(line, Tone.Quiet));
    }

    private const int MostLines = 3;

    private static string Heading(InboxKind kind, int number) => kind switch
    {
        InboxKind.Question => $"{Words.Count(number, "question")}",
        InboxKind.Review => $"{Words.Count(number, "change")} to review",
        InboxKind.Conflict => $"{Words.Count(number, "change")} in conflict",
        InboxKind.Failed => $"{Words.Count(number, "failure")}",
        InboxKind.Held => $"{Words.Count(number, "task")} held",
        InboxKind.NoAgent => $"{Words.Count(number, "task")} that no agent can take",
        InboxKind.Stalled => $"{Words.Count(number, "silent agent")}",
        InboxKind.Workspace => $"{Words.Count(number, "workspace")} out of order",
        InboxKind.Provider => $"{Words.Count(number, "provider")} without a valid key",
        InboxKind.Budget => "the budget is used up",
        InboxKind.Disk => "the disk is low",
        _ => "paused",
    };

    /// <summary>What to type, the likeliest first.</summary>
    public static string Type(InboxItem item)
    {
        var task = item.Number is { } number ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : Words.Plain(item.TaskId ?? "");
        var agent = Words.Plain(item.Label ?? item.AgentId ?? "");
        return string.Join("  ", item.Actions.Select(action => action switch
        {
            "answer" when item.Question is { } question => QuestionView.Answer(agent, question),
            "stop-agent" => $"colibri stop-agent {agent}",
            "get-change" => $"colibri diff {task}",
            "land-task" => $"colibri land {task}",
            "discard-task" => $"colibri discard {task}",
            "retry-task" => $"colibri retry {task}",
            "resume-queue" => $"colibri resume-queue{(item is { Kind: InboxKind.Provider, Name: { } provider } ? $" --provider {Words.Plain(provider)}" : "")}",
            "budget" => "colibri budget lift",
            "prune" => "colibri prune --dry-run",
            "doctor" => "colibri doctor",
            var other => $"colibri {Words.Plain(other)} {task}",
        }));
    }

    public static Tone ToneOf(InboxKind kind) => kind switch
    {
        InboxKind.Review => Tone.Good,
        InboxKind.Failed or InboxKind.Conflict or InboxKind.Disk or InboxKind.Workspace => Tone.Bad,
        _ => Tone.Attention,
    };
}

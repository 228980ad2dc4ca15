using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>Who is told, and of what, for a person.</summary>
internal static class NoticeView
{
    public static void Write(Screen screen, SinkReport report)
    {
        if (report.Sinks.Count == 0)
        {
            screen.Line("nobody is told: the configuration has no [notify.NAME]");
            return;
        }
        var table = new Table("SINK", "STATE", "TOLD", "PENDING", "DEAD", new TableColumn("LAST ERROR", Flexible: true));
        foreach (var sink in report.Sinks)
            table.Add(sink.Name, sink.State, Words.Number(sink.Delivered), Words.Number(sink.Pending), Words.Number(sink.Dead), sink.LastError ?? "");
        table.Write(screen);
        if (report.Sinks.Any(sink => sink.Dead > 0))
        {
            screen.Line();
            screen.Line("dead letters are tried again by: colibri notify retry");
        }
    }

    public static void Write(Screen screen, NoticeList list)
    {
        if (list.Notices.Count == 0)
        {
            screen.Line("there was nothing to tell");
            return;
        }
        var table = new Table("ID", "AGE", "KIND", "TASK", new TableColumn("MESSAGE", Flexible: true));
        foreach (var notice in list.Notices)
        {
            table.Add(
                Words.Number(notice.Id), Words.Age(screen.Now - notice.At), Words.Of(notice.Kind),
                notice.TaskNumber is { } number ? Words.Number(number) : "", notice.Message + (notice.EndedAt is null ? "" : " (over)"));
            foreach (var delivery in notice.Deliveries ?? [])
                table.Below($"{delivery.Sink}: {(delivery.IsDead ? "given up" : "to be told")}{(delivery.Attempts > 0 ? $" after {Words.Count(delivery.Attempts, "attempt")}" : "")}{(delivery.Error is { } error ? $": {error}" : "")}");
        }
        table.Write(screen);
    }
}

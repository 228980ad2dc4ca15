using System.Globalization;
using System.Text;
using Colibri.Core.Providers;

namespace Colibri.Core.Runs;

/// <summary>
/// The words of a limit that ended a run: which one and by which setting, that the agent was stopped, what it said last, and what the operator
/// can do.
/// </summary>
internal static class DeadlineWords
{
    // Of each quotation; the whole keeps within the 500 characters of a task's error.
    private const int MaxQuoted = 120;

    public static string OfRun(in RunLook look, TimeSpan limit) =>
        Sentence(look, $"the run took longer than {Of(limit)} ({look.NameOf("COLIBRI_RUN_TIMEOUT")})", $"a longer run needs a higher {look.NameOf("COLIBRI_RUN_TIMEOUT")}");

    public static string OfErrors(in RunLook look, TimeSpan limit)
    {
        var stated = look.Times.StatedWait > TimeSpan.Zero ? $", of it {Of(look.Times.StatedWait)} as the agent said it would wait" : "";
        return Sentence(
            look,
            $"said nothing but errors for {Of(limit)} (COLIBRI_FIRST_EVENT_TIMEOUT{stated}), the last one: {Quoted(look, look.Report.Error ?? StatusOf(look.Report.ProviderStatus))}",
            "look after its provider and network, or raise COLIBRI_FIRST_EVENT_TIMEOUT");
    }

    public static string OfFirstSign(in RunLook look, TimeSpan limit) => Sentence(
        look,
        look.Run.EventsOf(look.Report) == 0
            ? $"printed no event within {Of(limit)} (COLIBRI_FIRST_EVENT_TIMEOUT)"
            : $"went silent after {look.Report.LastEvent} and did not begin to work for {Of(limit)} (COLIBRI_FIRST_EVENT_TIMEOUT)",
        "a slower start needs a higher COLIBRI_FIRST_EVENT_TIMEOUT");

    public static string OfTool(in RunLook look, TimeSpan limit) => Sentence(
        look,
        $"its tool {Quoted(look, look.Times.ToolName ?? "")} ran for {Of(limit)} without an end ({look.NameOf("COLIBRI_TOOL_TIMEOUT")})",
        $"a longer tool call needs a higher {look.NameOf("COLIBRI_TOOL_TIMEOUT")}");

    public static string OfQuestion(in RunLook look, TimeSpan limit)
    {
        var asked = look.Question is { } question ? $"asked \"{Quoted(look, question.Title ?? question.Message ?? question.Method)}\"" : "asked a question";
        return look.CanBeAnswered
            ? Sentence(look, $"{asked} and got no answer for {Of(limit)} ({look.NameOf("COLIBRI_QUESTION_TIMEOUT")})", $"answer with `colibri answer`, or raise {look.NameOf("COLIBRI_QUESTION_TIMEOUT")}")
            : Sentence(
                look,
                $"{asked} and waited for {Of(limit)} ({SilenceSetting(look)}) for an answer that nobody can give",
                "it was started for one run; give it the right it asks for, or start it with rpc and answer with `colibri answer`");
    }

    public static string OfSilence(in RunLook look, TimeSpan limit)
    {
        var setting = look.Report.HasBackgroundWork ? look.NameOf("COLIBRI_TOOL_TIMEOUT") : SilenceSetting(look);
        var at = look.Report.HasBackgroundWork ? "while its background work ran" : "while it worked";
        // What is printed may be heartbeats alone.
        var said = look.Times.Unheard >= look.Silent ? "printed nothing" : "gave no sign of work";
        return Sentence(look, $"{said} for {Of(limit)} {at} ({setting})", $"a longer silence needs a higher {setting.Split(',')[0]}");
    }

    private static string SilenceSetting(in RunLook look) => RunLimits.IsByStall(look) ? "COLIBRI_STALL_AFTER, COLIBRI_STALL_KILL" : look.NameOf("COLIBRI_SILENCE_TIMEOUT");

    private static string Sentence(in RunLook look, string limit, string remedy)
    {
        var words = new StringBuilder(limit).Append("; it was stopped");
        if (look.Report.LastEvent is { } last)
            words.Append($"; its last event was {last}");
        if (look.Times is { Tool: not null, ToolName: { } tool })
            words.Append($"; its tool {Quoted(look, tool)} was running");
        if (look.StderrLine?.Invoke() is { } line)
            words.Append($"; standard error ended with: {Quoted(look, line)}");
        return words.Append("; ").Append(remedy).ToString().ReplaceLineEndings(" ");
    }

    private static string StatusOf(int status) => status == 0 ? "without words" : string.Create(CultureInfo.InvariantCulture, $"status {status}");

    private static string Quoted(in RunLook look, string text) => (look.Secrets ?? Secrets.None).Excerpt(text, MaxQuoted);

    private static string Of(TimeSpan span) => span.TotalSeconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###} s")
        : span.TotalMinutes < 120
            ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0.#} min")
            : string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.#} h");
}

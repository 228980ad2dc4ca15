using System.Text.RegularExpressions;

namespace Colibri.UnitTests.Structure;

/// <summary>The walks of docs/architecture.md, held against the code.</summary>
public sealed partial class WalkTests
{
    private static readonly string[] Document = File.ReadAllLines(Path.Combine(SourceTree.Root, "docs", "architecture.md"));

    public static IEnumerable<string> Walks() => ["a task, from the socket to its verdict", "a change, from its task to the base", "a line of output, from the pipe to a subscriber"];

    [Test]
    [MethodDataSource(nameof(Walks))]
    public void Every_station_of_a_walk_is_there_and_calls_the_next_where_it_says_so(string walk)
    {
        var stations = Stations(walk);
        stations.Count.ShouldBeGreaterThan(10);
        for (var i = 0; i < stations.Count; i++)
        {
            var (file, method, calls) = stations[i];
            var text = TextOf(file);
            Regex.IsMatch(text, $@"[\w>\])?] (\w+\.)?{method}(<\w+>)?\(").ShouldBeTrue($"{file} has no method {method}");
            if (!calls)
                continue;
            var next = stations[i + 1];
            Regex.IsMatch(text, $@"\b{next.Method}\(").ShouldBeTrue($"{file} does not call {next.Method} of {next.File}");
        }
    }

    /// <summary>Between the queue and the prompt a task is read by the claim alone: a second reading could be of another state, or of half a task.</summary>
    [Test]
    public void A_task_is_read_once_between_queue_and_prompt()
    {
        foreach (var folder in (string[])["Colibri.Core/Scheduling", "Colibri.Core/Agents", "Colibri.Core/Runs"])
        {
            foreach (var file in SourceTree.Files(folder))
                file.Lines.Where(line => ReadsTask().IsMatch(line)).ShouldBeEmpty(file.Name);
        }
        // What the queue gives has no words that a prompt could be made of.
        typeof(Core.Board.ReadyTask).GetProperties().Select(property => property.Name)
            .ShouldBe(["Id", "Capabilities", "Place", "RunsApart", "Number", "Agent", "Workspace", "Cwd", "Group", "Tenant"], ignoreOrder: true);
    }

    /// <summary>The picture has every state of the table, in its order, and every event.</summary>
    [Test]
    public void The_picture_of_a_runs_life_has_the_tables_states_and_events()
    {
        var picture = string.Join('\n', Section("The life of a run"));
        var chain = picture.Split('\n').Single(line => line.Contains("claimed ──", StringComparison.Ordinal));
        string[] states = [.. Enum.GetNames<Core.Runs.RunState>().Select(name => name.ToLowerInvariant())];
        Word().Matches(chain).Select(match => match.Value).ShouldBe(states);
        var events = picture.Split('\n').Single(line => line.Contains("event:", StringComparison.Ordinal));
        Word().Matches(events).Select(match => match.Value).Where(word => word != "event")
            .ShouldBe(Enum.GetNames<Core.Runs.RunEvent>().Select(name => name.ToLowerInvariant()));
        var actions = picture.Split('\n').Single(line => line.Contains("action:", StringComparison.Ordinal));
        Word().Matches(actions).Select(match => match.Value).Where(word => word != "action")
            .ShouldBe(Enum.GetNames<Core.Runs.RunAction>().Skip(1).Select(name => name.ToLowerInvariant()));
    }

    private static List<(string File, string Method, bool Calls)> Stations(string walk) =>
    [
        .. Section("Walk: " + walk).Select(line => (Line: line, Match: Station().Match(line))).Where(pair => pair.Match.Success)
            .Select(pair => (pair.Match.Groups[1].Value, pair.Match.Groups[2].Value, pair.Line.EndsWith('↓'))),
    ];

    private static IEnumerable<string> Section(string title) =>
        Document.SkipWhile(line => line != "## " + title).Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal));

    private static string TextOf(string file) => File.ReadAllText(Path.Combine(SourceTree.Root, "src", "Colibri." + file));

    [GeneratedRegex(@"^\d+\. `([\w/.]+\.cs): (\w+)`")]
    private static partial Regex Station();

    [GeneratedRegex(@"\b[Bb]oard\.(GetAsync|ListAsync)\(")]
    private static partial Regex ReadsTask();

    [GeneratedRegex("[a-z]+")]
    private static partial Regex Word();
}

using Colibri.Cli.Output;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top.Actions;

/// <summary>What is asked of the operator, at the bottom of the screen. While it is open all keys are its own.</summary>
internal abstract class Prompt
{
    /// <summary>What came of a key.</summary>
    /// <param name="IsOver">Whether the prompt closes.</param>
    /// <param name="Action">What is to be done; null for nothing.</param>
    public readonly record struct Outcome(bool IsOver, TopAction? Action = null);

    protected static Outcome StaysOpen => new(false);
    protected static Outcome Cancelled => new(true);

    public abstract Outcome Take(Key key);

    /// <summary>Its lines, the last of them the keys it takes.</summary>
    public abstract IReadOnlyList<StyledLine> Lines(int width, int most);

    protected static List<StyledLine> Wrapped(string text, int width, int most, Tone tone)
    {
        List<StyledLine> lines = [.. Text.Lines(text).SelectMany(line => Columns.Wrap(line, width)).Select(line => StyledLine.Of(line, tone))];
        if (lines.Count > most)
            lines = [.. lines.Take(Math.Max(most - 1, 0)), StyledLine.Of("…", tone)];
        return lines;
    }
}

/// <summary>Yes or no, before something ends.</summary>
internal sealed class ConfirmPrompt(TopAction action) : Prompt
{
    public override Outcome Take(Key key) => key switch
    {
        { Letter: 'y' or 'Y' } => new Outcome(true, action),
        { Letter: 'n' or 'N' or 'q' } or { Kind: KeyKind.Escape } => Cancelled,
        _ => StaysOpen,
    };

    public override IReadOnlyList<StyledLine> Lines(int width, int most) =>
    [
        .. Wrapped(action.Confirmation ?? "", width, most - 1, Tone.Attention),
        $"y yes  n no      {action.Twin}",
    ];
}

/// <summary>A line of text.</summary>
/// <param name="about">What it is for.</param>
/// <param name="done">What is to be done with it.</param>
internal sealed class TextPrompt(string about, Func<string, TopAction> done) : Prompt
{
    private readonly LineEditor _editor = new();

    public override Outcome Take(Key key) => key.Kind switch
    {
        KeyKind.Enter => new Outcome(true, done(_editor.Text)),
        KeyKind.Escape => Cancelled,
        _ when _editor.Take(key) => StaysOpen,
        _ => StaysOpen,
    };

    public override IReadOnlyList<StyledLine> Lines(int width, int most) =>
    [
        .. Wrapped(about, width, most - 2, Tone.Attention),
        $"> {_editor.Shown(width - 2)}",
        $"Enter send  Esc cancel      {done(_editor.Text).Twin}",
    ];
}

/// <summary>An agent's question: its options, yes and no, or both.</summary>
internal sealed class ChoicePrompt(string agent, string agentId, AgentQuestion question) : Prompt
{
    private readonly IReadOnlyList<string> _options = question.Options is { Count: > 0 } options && question.Method != "confirm" ? options : [];
    private int _at;

    private bool TakesYes => question.Method is "confirm" or AgentQuestion.Permission;

    public override Outcome Take(Key key)
    {
        if (TakesYes && key.Letter is 'y' or 'Y' or 'n' or 'N')
            return TakesYes ? new Outcome(true, TopAction.Answer(agent, agentId, question, key.Letter is 'y' or 'Y')) : StaysOpen;
        if (key.Letter is >= '1' and <= '9' && key.Letter - '1' < _options.Count)
            return Chosen(key.Letter - '1');
        switch (key)
        {
            case { Kind: KeyKind.Escape } or { Letter: 'q' }:
                return Cancelled;
            case { Kind: KeyKind.Enter } when _options.Count > 0:
                return Chosen(_at);
            case { Kind: KeyKind.Up } or { Letter: 'k' }:
                _at = Math.Max(_at - 1, 0);
                break;
            case { Kind: KeyKind.Down } or { Letter: 'j' }:
                _at = Math.Min(_at + 1, Math.Max(_options.Count - 1, 0));
                break;
        }
        return StaysOpen;
    }

    public override IReadOnlyList<StyledLine> Lines(int width, int most)
    {
        var words = string.Join('\n', new[] { $"agent {agent} asks: {question.Title}", question.Message }.Where(part => !string.IsNullOrEmpty(part)));
        var shown = Math.Min(_options.Count, Math.Max(most - 3, 1));
        List<StyledLine> lines = Wrapped(words, width, Math.Max(most - shown - 1, 1), Tone.Attention);
        var first = Math.Clamp(_at - shown + 1, 0, Math.Max(_options.Count - shown, 0));
        for (var i = first; i < first + shown; i++)
            lines.Add(StyledLine.Of($"{(i == _at ? ">" : " ")} {i + 1} {_options[i]}", i == _at ? Tone.Strong : Tone.Plain));
        var keys = string.Join("  ", new[] { _options.Count > 0 ? "1-9 or arrows and Enter" : null, TakesYes ? "y yes  n no" : null, "Esc cancel" }.OfType<string>());
        lines.Add($"{keys}      {(_options.Count > 0 ? TopAction.Answer(agent, agentId, question, _options[_at]).Twin : $"colibri answer {agent} --yes|--no")}");
        return lines;
    }

    private Outcome Chosen(int option) => new(true, TopAction.Answer(agent, agentId, question, _options[option]));
}

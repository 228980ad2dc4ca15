using Colibri.Cli.Output;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Top.View;

/// <summary>Keys, and the command line that does the same as each.</summary>
internal static class HelpLines
{
    private const int KeyWidth = 15;
    private const int WhatWidth = 32;
    private const int WideKeys = 120;

    /// <summary>Key, what it does, and its twin; docs/top.md has the same table.</summary>
    public static readonly (string Key, string What, string Twin)[] Table =
    [
        ("up down j k", "move, or scroll a page", ""),
        ("PgUp PgDn g G", "a screenful; first, last", ""),
        ("Tab", "the next of the three parts", ""),
        ("n N", "next that waits, the one before", "colibri inbox"),
        ("/", "filter the rows; Esc clears", ""),
        ("Enter", "open the agent or task", "colibri get-task TASK"),
        ("Esc", "back", ""),
        ("l", "follow its log", "colibri logs TASK -f"),
        ("d", "what it changed", "colibri diff TASK"),
        ("a", "answer its question", "colibri answer AGENT"),
        ("s", "stop the agent; asks first", "colibri stop-agent AGENT"),
        ("r", "retry the task, with feedback", "colibri retry TASK"),
        ("L", "land its change; asks first", "colibri land TASK"),
        ("D", "discard its change; asks first", "colibri discard TASK"),
        ("R", "hold or release a queued task", "colibri hold-task, release-task"),
        ("p", "pause the queue, or resume it", "colibri pause-queue, resume-queue"),
        ("Ctrl-L", "draw the screen anew", ""),
        ("Ctrl-Z", "stop until fg", ""),
        ("?", "this page", "colibri help top"),
        ("q", "quit; on a page: back", ""),
    ];

    public static IReadOnlyList<StyledLine> All { get; } =
    [
        .. Table.Select(row => new StyledLine([(Columns.PadRight(row.Key, KeyWidth), Tone.Strong), (Columns.PadRight(row.What, WhatWidth), Tone.Plain), (row.Twin, Tone.Quiet)])),
    ];

    /// <summary>The line at the bottom.</summary>
    public static string Keys(PageKind? page, int width) => (page, width < WideKeys) switch
    {
        (PageKind.Help, _) => "Esc back",
        (not null, true) => "Esc back  j k scroll  l log  d diff  a answer  s stop  r retry  L land  ? help",
        (not null, false) => "Esc back  j k scroll  g G ends  l log  d diff  a answer  s stop  r retry  L land  D discard  ? help",
        (null, true) => "? help  / filter  Enter open  n next  a answer  s stop  r retry  p pause  q quit",
        (null, false) => "? help  / filter  Enter open  n next  l log  d diff  a answer  s stop  r retry  L land  D discard  p pause  q quit",
    };

    /// <summary>What a shell is told about the selected row.</summary>
    public static string Twins(TopState state)
    {
        if (state.Page is { Kind: PageKind.Help })
            return "";
        if (state.Page is null && state.Focus == Part.Attention && state.Rows(Part.Attention) is { Count: > 0 } rows && rows[state.Selected(Part.Attention, rows)].Item is { } item)
            return InboxView.Type(item);
        var isAlive = state.Subject.PaneIn(state.Model) is { Lifecycle: not Lifecycle.Stopped };
        return state.Subject switch
        {
            { Task: { } task, Agent: { } agent } when isAlive => $"colibri logs {task} -f  colibri stop-agent {agent}",
            { Task: { } task } => $"colibri get-task {task}",
            { Agent: { } agent } when isAlive => $"colibri stop-agent {agent}",
            _ => "",
        };
    }
}

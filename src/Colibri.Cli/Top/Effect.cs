using Colibri.Cli.Top.Actions;

namespace Colibri.Cli.Top;

/// <summary>What a key asks of the loop, beyond a change of the screen.</summary>
internal abstract record Effect
{
    public sealed record Quit : Effect;

    /// <summary>The terminal may show anything: draw all of it.</summary>
    public sealed record DrawAnew : Effect;

    public sealed record Perform(TopAction Action, string Agent) : Effect;

    /// <summary>The page on top wants its lines.</summary>
    public sealed record Load(TopPage Page) : Effect;

    /// <summary>The page is left: nothing more of it is wanted.</summary>
    public sealed record Leave(TopPage Page) : Effect;
}

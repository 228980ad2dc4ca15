namespace Colibri.Core.Agents.Kinds;

/// <summary>A program of the operator's own, by <c>runtime</c> alone: it may print Pi's events or nothing at all, and needs no provider.</summary>
internal static class Local
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "local",
        Dialect = Pi.Profile.Dialect,
        RpcArguments = [],
        Providers = [],
        PrintsEvents = false,
        Rights = KindRights.Unheld("a program of the operator's has"),
    };
}

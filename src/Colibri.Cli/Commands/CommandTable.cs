using Colibri.Cli.Parsing;

namespace Colibri.Cli.Commands;

/// <summary>Every command, in the help's order.</summary>
internal static class CommandTable
{
    public static readonly IReadOnlyList<CommandSpec> All =
    [
        .. ShortCommands.All, .. TaskCommands.All, .. ScheduleCommands.All, .. RunCommands.All, .. LandingCommands.All, .. QueueCommands.All, .. AgentCommands.All, .. SessionCommands.All, .. CostCommands.All, .. RegistryCommands.All,
        .. DaemonCommands.All, .. NoticeCommands.All, .. MetricsCommands.All, .. RetentionCommands.All,
    ];

    public static CommandSpec? Find(string name) => All.FirstOrDefault(command => command.Name == name);
}

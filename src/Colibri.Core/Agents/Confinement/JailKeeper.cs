using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Settings;
using Colibri.Posix.Files;
using Colibri.Posix.Jails;
using Colibri.Posix.Spawning;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Agents.Confinement;

/// <summary>Works on jails from outside: finds them by name, signals their agents, removes them and the files that were left for agents.</summary>
public sealed class JailKeeper
{
    private readonly JailHost _host;
    private readonly JailCommands _commands;
    private readonly HelperProgram _helper;
    private readonly string _stage;
    private readonly ILogger _logger;

    public JailKeeper(JailHost host, DaemonConfiguration configuration, ChildProcesses processes, TimeProvider time, ILogger logger)
    {
        (_host, _logger) = (host, logger);
        Privilege = host.Privilege(configuration.JailPrivilegeMode);
        _commands = new JailCommands(host, Privilege ?? []);
        _helper = new HelperProgram(processes, time);
        _stage = configuration.JailStageDirectory;
    }

    internal JailCommands Commands => _commands;

    /// <summary>The command prefix that makes a command run as root; null where there is none.</summary>
    internal IReadOnlyList<string>? Privilege { get; }

    /// <summary>The root of a jail; null if there is no such jail, or we may not see it.</summary>
    internal async Task<string?> RootOfAsync(string jail)
    {
        if (_host.RootOf is { } kernel)
            return kernel(jail);
        var answer = await _helper.RunAsync(_commands.RootOf(jail)).ConfigureAwait(false);
        return answer.IsDone && answer.Text.StartsWith('/') ? answer.Text : null;
    }

    /// <summary>Why a tool cannot be run as root, in the words of mdo or sudo; null where it can.</summary>
    internal async Task<string?> WhyNotAsync(string tool)
    {
        if (_commands.MayRun(tool) is not { } question)
            return null;
        var answer = await _helper.RunAsync(question).ConfigureAwait(false);
        return answer.IsDone ? null : answer.LastLine;
    }

    /// <summary>The means to signal an agent's processes of another user; null where the daemon itself may signal them.</summary>
    internal IPrivilegedSignals? SignalsFor(string? jail, string agentId) =>
        jail is null || Privilege is null or [] ? null : new JailSignals(_commands, _helper, jail, agentId);

    /// <summary>
    /// Cleans up after an agent's end: removes a jail that was made for it, with every process still in it, and the files that were left inside.
    /// </summary>
    internal async Task CloseAsync(string? jail, string? root, string agentId)
    {
        if (jail is not null && jail == FreeBsdJail.OwnName(agentId))
            await RemoveAsync(jail).ConfigureAwait(false);
        if (root is not null)
            Unstage(root, agentId);
    }

    // Usually the jail has ended by itself, and the answer is that there is none.
    private async Task RemoveAsync(string jail)
    {
        if (_host.Remove is not { } kernel)
        {
            var removal = await JailSignals.RemoveAsync(_commands, _helper, jail).ConfigureAwait(false);
            if (!removal.IsDone && await RootOfAsync(jail).ConfigureAwait(false) is not null)
                _logger.JailNotRemoved(jail, removal.LastLine);
            return;
        }
        try
        {
            kernel(jail);
        }
        catch (IOException e)
        {
            _logger.JailNotRemoved(jail, e.Message);
        }
    }

    private void Unstage(string root, string agentId)
    {
        try
        {
            new StageDirectory(root, _stage).Remove(agentId, StagedEnvironment.Files);
        }
        catch (IOException e)
        {
            _logger.StageNotRemoved(agentId, root + _stage, e.Message);
        }
    }
}

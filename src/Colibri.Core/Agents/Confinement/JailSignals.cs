using Colibri.Core.Processes;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// Signals to an agent whose processes belong to root or another user: sent as root from within its jail. In place of SIGKILL, a jail that was
/// made for the agent is removed, which ends every process in it. A reuse of the pid inside the same jail, between the check and the kill,
/// cannot be excluded.
/// </summary>
internal sealed class JailSignals(JailCommands commands, HelperProgram helper, string jail, bool isOwn) : IPrivilegedSignals
{
    public Task SendAsync(int signal, IReadOnlyList<ProcessIdentity> members) =>
        helper.RunAsync(isOwn && signal == Signals.Kill
            ? commands.Remove(jail)
            : commands.Signal(jail, Signals.Name(signal)["SIG".Length..], members.Select(member => member.Pid)));
}

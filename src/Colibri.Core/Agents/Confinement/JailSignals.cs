using Colibri.Core.Processes;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// Signals to an agent whose processes are root's or another user's: sent as root from within its jail. SIGKILL to a jail that was made
/// for the agent is the removal of the jail, which leaves nothing in it.
/// </summary>
internal sealed class JailSignals(JailCommands commands, HelperProgram helper, string jail, bool isOwn) : IPrivilegedSignals
{
    public Task SendAsync(int signal, IReadOnlyList<ProcessIdentity> members) =>
        helper.RunAsync(isOwn && signal == Signals.Kill
            ? commands.Remove(jail)
            : commands.Signal(jail, Signals.Name(signal)["SIG".Length..], members.Select(member => member.Pid)));
}

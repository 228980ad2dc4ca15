using Colibri.Posix.Processes;

namespace Colibri.Core.Processes;

/// <summary>Signals to processes that are not the daemon's user's, which a plain kill(2) does not reach.</summary>
internal interface IPrivilegedSignals
{
    /// <summary>Sends the signal; who was reached is seen at the next look at the tree.</summary>
    Task SendAsync(int signal, IReadOnlyList<ProcessIdentity> members);
}

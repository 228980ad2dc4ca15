using System.Globalization;
using Colibri.Posix.Signalling;

namespace Colibri.Posix.Spawning;

/// <summary>How a process ended: with an exit code or by a signal. Both are null where that is unknown (<see cref="Unknown"/>).</summary>
/// <param name="Code">0 to 255.</param>
/// <param name="Signal">The running system's number; see <see cref="Signals.Name(int)"/>.</param>
public readonly record struct ExitStatus(int? Code, int? Signal)
{
    /// <summary>The process has ended, and its status is lost because other code in this process waited for it.</summary>
    public static ExitStatus Unknown => default;

    /// <summary>Decodes what waitpid(2) stores for a process that ended; Linux and FreeBSD encode it alike (sys/wait.h).</summary>
    public static ExitStatus FromWaitStatus(int status)
    {
        // 0x80 is the core dump flag.
        var signal = status & 0x7f;
        return signal == 0 ? new ExitStatus((status >> 8) & 0xff, null) : new ExitStatus(null, signal);
    }

    /// <summary>"exit code 3", "SIGKILL" or "exit status unknown".</summary>
    public override string ToString() => this switch
    {
        { Signal: { } signal } => Signals.Name(signal),
        { Code: { } code } => string.Create(CultureInfo.InvariantCulture, $"exit code {code}"),
        _ => "exit status unknown",
    };
}

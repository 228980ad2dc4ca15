using System.Globalization;
using Colibri.Core.Processes;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;

namespace Colibri.Core.Agents.Confinement;

/// <summary>
/// Signals to an agent whose processes belong to root or another user: sent as root from within its jail. In place of SIGKILL, all processes of a jail
/// that was made for the agent are killed, and the jail is removed. A reuse of the pid inside the same jail, between the check and the kill,
/// cannot be excluded.
/// </summary>
internal sealed class JailSignals(JailCommands commands, HelperProgram helper, string jail, string agentId) : IPrivilegedSignals
{
    /// <summary>The most that ps(1) may print of one jail's processes.</summary>
    private const int MaxTableBytes = 16 * 1024 * 1024;

    // jail(8) waits 10 s for what does not heed SIGTERM.
    private static readonly TimeSpan Removal = TimeSpan.FromSeconds(15);

    public Task SendAsync(int signal, IReadOnlyList<ProcessIdentity> members) =>
        jail == FreeBsdJail.OwnName(agentId) && signal == Signals.Kill
            ? RemoveAsync(commands, helper, jail)
            : helper.RunAsync(commands.Signal(jail, Signals.Name(signal)["SIG".Length..], members.Select(member => member.Pid)));

    /// <summary>Kills what is in a jail and removes it. A jail whose processes are killed first is gone at once.</summary>
    public static async Task<HelperResult> RemoveAsync(JailCommands commands, HelperProgram helper, string jail)
    {
        // It fails where the jail has ended by itself, which is as good.
        await helper.RunAsync(commands.KillAll(jail)).ConfigureAwait(false);
        return await helper.RunAsync(commands.Remove(jail), Removal).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<ProcessIdentity>> FindAsync()
    {
        var table = await helper.RunAsync(commands.Environments(jail), maxBytes: MaxTableBytes).ConfigureAwait(false);
        // ps(1) also fails where the jail is gone, or has no process: then it has printed nothing but that.
        if (!table.IsDone && (await helper.RunAsync(commands.RootOf(jail)).ConfigureAwait(false)).IsDone)
            throw new IOException($"the processes of jail {jail} cannot be listed: {table.LastLine}");
        return table.IsDone ? Marked(table.Text, AgentMarker.For(agentId)) : [];
    }

    /// <summary>The processes of the table whose environment has the marker, and that are there.</summary>
    internal static List<ProcessIdentity> Marked(string table, string marker)
    {
        var found = new List<ProcessIdentity>();
        foreach (var line in table.Split('\n'))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && Array.IndexOf(words, marker, 1) > 0
                && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && ProcessIdentity.TryRead(pid, out var identity))
                found.Add(identity);
        }
        return found;
    }
}

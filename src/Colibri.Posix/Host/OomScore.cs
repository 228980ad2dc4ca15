using System.Globalization;
using Colibri.Posix.Cgroups;

namespace Colibri.Posix.Host;

/// <summary>
/// How readily Linux' OOM killer takes a process (/proc/PID/oom_score_adj, proc(5)): -1000 to 1000. A service manager may protect this process by a negative
/// value. Children inherit it, and an agent that takes all memory would be spared with it. FreeBSD's protect(1) is not inherited unless that is asked for.
/// </summary>
internal static class OomScore
{
    private const string Usual = "0";

    /// <summary>Takes the protection from a child that has just been started, before it can have children of its own that matter.</summary>
    public static void Expose(int pid)
    {
        // Looked at each time: an operator may protect a daemon that runs.
        if (HostPlatform.Kind == OperatingSystemKind.Linux && Of("self") < 0)
            Expose(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/oom_score_adj"));
    }

    /// <summary>0, or the error number: of a child that has ended already, say.</summary>
    internal static int Expose(string file) => CgroupFile.Write(file, System.Text.Encoding.ASCII.GetBytes(Usual));

    /// <summary>The value of a process; 0 where it cannot be read.</summary>
    internal static int Of(string process)
    {
        try
        {
            return int.TryParse(File.ReadAllText($"/proc/{process}/oom_score_adj"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}

using System.Text;

namespace Colibri.EndToEndTests.Harness;

/// <param name="Pid">The process.</param>
/// <param name="CommandLine">Its arguments, blank-separated.</param>
internal sealed record LivingProcess(int Pid, string CommandLine);

/// <summary>
/// The living processes that carry a marker in their environment. An environment is inherited through every fork, so this
/// finds a tree's members whatever session, group or parent they have moved to.
/// </summary>
internal static class ProcTable
{
    public static IReadOnlyList<LivingProcess> WithEnvironment(string entry)
    {
        var wanted = Encoding.UTF8.GetBytes(entry);
        var found = new List<LivingProcess>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid))
                continue;
            try
            {
                if (Contains(Environ(directory), wanted) && IsLiving(directory))
                    found.Add(new LivingProcess(pid, File.ReadAllText($"{directory}/cmdline").Replace('\0', ' ').Trim()));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It ended between the listing and the reading, or is another user's.
            }
        }
        return found;
    }

    // A process can make its environment terabytes long; what it was started with had 6 MiB at most.
    private static byte[] Environ(string directory)
    {
        using var file = File.OpenRead($"{directory}/environ");
        var bytes = new List<byte>();
        var chunk = new byte[64 * 1024];
        for (int read; bytes.Count < 6 * 1024 * 1024 && (read = file.Read(chunk)) > 0;)
            bytes.AddRange(chunk.AsSpan(0, read));
        return [.. bytes];
    }

    /// <summary>The directory of the cgroup v2 that a daemon made for the agent the process belongs to; null where there is none.</summary>
    public static string? AgentCgroupOf(int pid)
    {
        try
        {
            var path = File.ReadLines($"/proc/{pid}/cgroup").FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal))?[3..];
            var mount = File.ReadLines("/proc/self/mountinfo").FirstOrDefault(line => line.Contains(" - cgroup2 ", StringComparison.Ordinal))?.Split(' ')[4];
            return path is not null && mount is not null && Path.GetFileName(path).StartsWith("colibri-", StringComparison.Ordinal) ? mount + path : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static bool TryRemoveCgroup(string directory)
    {
        try
        {
            Directory.Delete(directory);
            return true;
        }
        catch (IOException gone)
        {
            return gone is DirectoryNotFoundException;
        }
    }

    /// <summary>Resident memory in bytes.</summary>
    public static long ResidentBytes(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    private static bool Contains(ReadOnlySpan<byte> environment, ReadOnlySpan<byte> entry)
    {
        foreach (var range in environment.Split((byte)0))
            if (environment[range].SequenceEqual(entry))
                return true;
        return false;
    }

    private static bool IsLiving(string directory)
    {
        // The state follows the command name, which may itself hold blanks and parentheses.
        var stat = File.ReadAllText($"{directory}/stat");
        return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
    }
}

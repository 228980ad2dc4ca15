using System.Text;

namespace Colibri.Posix.Cgroups;

/// <summary>Finds a process's cgroup v2 in the file system, from what /proc says about the process and its mounts.</summary>
internal static class CgroupMounts
{
    /// <summary>The path in /proc/PID/cgroup, from the hierarchy's root as we see it; null where there is no cgroup v2.</summary>
    public static string? PathOf(string procCgroup)
    {
        // Hierarchy 0 without a controller is version 2 (cgroups(7)); the others are version 1's.
        foreach (var line in procCgroup.Split('\n'))
        {
            if (line.StartsWith("0::/", StringComparison.Ordinal))
                return line[3..];
        }
        return null;
    }

    /// <summary>The directories where a cgroup of that path may be looked at, in the order of the mounts.</summary>
    public static IEnumerable<string> Directories(string path, string mountInfo)
    {
        foreach (var line in mountInfo.Split('\n'))
        {
            // proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields; after a lone hyphen the type.
            if (line.Split(" - ") is not [var mount, var source] || !source.StartsWith("cgroup2 ", StringComparison.Ordinal))
                continue;
            var fields = mount.Split(' ');
            if (fields.Length >= 5 && Below(Unescape(fields[3]), path) is { } below)
                yield return Unescape(fields[4]).TrimEnd('/') + below;
        }
    }

    // A container may have only its own part of the hierarchy mounted. What lies outside of it has a path that leads up.
    private static string? Below(string root, string path)
    {
        if (path.StartsWith("/..", StringComparison.Ordinal))
            return null;
        if (root == "/")
            return path == "/" ? "" : path;
        if (path == root)
            return "";
        return path.StartsWith(root + "/", StringComparison.Ordinal) ? path[root.Length..] : null;
    }

    // Blank, tab, newline and backslash stand as three octal digits.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
            return field;
        var text = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length && field.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                text.Append((char)(((field[i + 1] - '0') << 6) | ((field[i + 2] - '0') << 3) | (field[i + 3] - '0')));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }
        return text.ToString();
    }
}

using System.Globalization;
using System.Text;
using Colibri.Core.Agents.Launch;
using Colibri.Posix.Files;
using Colibri.Posix.Jails;

namespace Colibri.Core.Agents.Confinement;

/// <summary>A user of a jail, read from the jail's own passwd(5) and group(5), because user names inside differ from the host's.</summary>
/// <param name="Name">As it was asked for.</param>
/// <param name="Home">The home directory, inside.</param>
/// <param name="Ids">User, group, all groups.</param>
public sealed record JailUser(string Name, string Home, UserIds Ids)
{
    private const int LongestName = 32;
    private const int MostGroups = 1_023;

    /// <summary>Finds the user.</summary>
    /// <exception cref="SpawnRefusedException">The name is invalid, or there is no such user inside.</exception>
    public static JailUser Find(JailRoot root, string name)
    {
        ArgumentNullException.ThrowIfNull(root);
        if (!IsName(name))
            throw new SpawnRefusedException(SpawnRefusal.JailWrong, $"jail.user '{name}' is no user name: letters, digits, . _ -, not first a digit or -");
        try
        {
            var passwd = Text(root, "passwd");
            return passwd is null
                ? throw Missing(root, name)
                : Parse(passwd, Text(root, "group") ?? "", name) ?? throw Missing(root, name);
        }
        catch (IOException e)
        {
            throw new SpawnRefusedException(SpawnRefusal.NotConfinable, $"the users of {root.Path} cannot be read: {e.Message}; nothing was started");
        }
    }

    internal static JailUser? Parse(string passwd, string group, string name)
    {
        foreach (var line in passwd.Split('\n'))
        {
            if (line.Split(':') is not [var user, _, var uid, var gid, _, var home, _] || user != name || Number(uid) is not { } userId || Number(gid) is not { } groupId)
                continue;
            return new JailUser(name, home.StartsWith('/') ? home : "/", new UserIds(userId, groupId, GroupsOf(group, name, groupId)));
        }
        return null;
    }

    private static List<uint> GroupsOf(string group, string name, uint primary)
    {
        List<uint> groups = [primary];
        foreach (var line in group.Split('\n'))
        {
            if (line.Split(':') is [_, _, var gid, var members] && Number(gid) is { } id && members.Split(',').Contains(name) && !groups.Contains(id)
                && groups.Count < MostGroups)
                groups.Add(id);
        }
        return groups;
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= LongestName && (char.IsAsciiLetter(name[0]) || name[0] == '_')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static string? Text(JailRoot root, string file) =>
        StageDirectory.ReadSmall(root.Path, "etc", file) is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;

    private static SpawnRefusedException Missing(JailRoot root, string name) =>
        new(SpawnRefusal.JailWrong, $"there is no user '{name}' in {root.Path}/etc/passwd");
}

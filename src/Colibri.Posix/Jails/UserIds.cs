using System.Globalization;

namespace Colibri.Posix.Jails;

/// <summary>A user as numbers, because names differ between a jail and its host.</summary>
/// <param name="Uid">User id.</param>
/// <param name="Gid">Primary group.</param>
/// <param name="Groups">All groups, the primary one first: where the first is the effective one (FreeBSD before 15), it is the right one.</param>
public sealed record UserIds(uint Uid, uint Gid, IReadOnlyList<uint> Groups)
{
    /// <summary>"1001:1001:1001,20": user, group, all groups.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}:{string.Join(',', Groups)}");

    /// <summary>Reads <see cref="ToString"/>; null for anything else.</summary>
    public static UserIds? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Split(':') is not [var user, var group, var all] || Number(user) is not { } uid || Number(group) is not { } gid)
            return null;
        var groups = all.Split(',').Select(Number).ToList();
        return groups.Contains(null) ? null : new UserIds(uid, gid, [.. groups.Select(id => id!.Value)]);
    }

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

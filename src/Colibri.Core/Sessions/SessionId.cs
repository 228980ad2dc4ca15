namespace Colibri.Core.Sessions;

/// <summary>A session's id is the name of its directory, so few characters are allowed.</summary>
public static class SessionId
{
    /// <summary>Longest id, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary><c>[A-Za-z0-9._-]{1,128}</c>, not starting with a dot.</summary>
    public static bool IsValid(string? id)
    {
        if (id is not { Length: > 0 and <= MaxLength } || id[0] == '.')
            return false;
        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                return false;
        }
        return true;
    }
}

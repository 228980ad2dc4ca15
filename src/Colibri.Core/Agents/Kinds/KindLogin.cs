namespace Colibri.Core.Agents.Kinds;

/// <summary>Where a kind of agent keeps a login of its own, which may stand in for a key.</summary>
/// <param name="Variable">The variable that names its directory.</param>
/// <param name="Default">What that is without the variable, below HOME.</param>
/// <param name="File">The file in it that holds the login once it was made.</param>
/// <param name="Command">What makes it.</param>
public sealed record KindLogin(string Variable, string Default, string File, string Command)
{
    /// <summary>The path of the file; null where the agent has no home directory.</summary>
    /// <param name="variable">A variable that the agent would find; null where it would find none.</param>
    public string? PathFor(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        var directory = variable(Variable) is { Length: > 0 } stated ? stated : variable("HOME") is { Length: > 0 } home ? Path.Combine(home, Default) : null;
        return directory is null ? null : Path.Combine(directory, File);
    }
}

namespace Colibri.Cli.Doctor;

/// <summary>What the client's own checks ask of the host.</summary>
internal sealed record ClientHost
{
    /// <summary>Looks a variable up; null or empty means unset.</summary>
    public required Func<string, string?> Environment { get; init; }

    public string UserName { get; init; } = System.Environment.UserName;

    public bool IsRoot { get; init; } = System.Environment.IsPrivilegedProcess;

    /// <summary>Where this program lies.</summary>
    public string ProgramDirectory { get; init; } = AppContext.BaseDirectory;

    /// <summary>Whether a file is there.</summary>
    public Predicate<string> Exists { get; init; } = File.Exists;

    /// <summary>A small text file; null where it cannot be read.</summary>
    public Func<string, string?> Read { get; init; } = ReadSmall;

    private const int MaxBytes = 1 << 20;

    private static string? ReadSmall(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            // /proc says a length of 0.
            var text = new byte[MaxBytes];
            return System.Text.Encoding.UTF8.GetString(text, 0, file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

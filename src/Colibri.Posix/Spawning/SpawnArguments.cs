using System.Globalization;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>Checks the arguments of a spawn, and words the error of one that the system refused.</summary>
internal static class SpawnArguments
{
    public static void Check(SpawnOptions options)
    {
        if (!options.Path.StartsWith('/'))
            throw new ArgumentException($"the path of a process must be absolute: {options.Path}", nameof(options));
        if (options.WorkingDirectory is { } directory && (directory.Length == 0 || directory.Contains('\0', StringComparison.Ordinal)))
            throw new ArgumentException("the working directory is empty or holds a NUL", nameof(options));
    }

    public static List<string> Environment(SpawnOptions options)
    {
        var entries = new List<string>(options.Environment.Count);
        foreach (var (name, value) in options.Environment)
        {
            if (name.Length == 0 || name.Contains('=', StringComparison.Ordinal))
                throw new ArgumentException($"not a name of an environment variable: '{name}'", nameof(options));
            entries.Add($"{name}={value}");
        }
        return entries;
    }

    public static SpawnException Explain(SpawnOptions options, int errno, NativeStrings argv, NativeStrings envp)
    {
        var reason = Errno.Describe(errno);
        if (options.WorkingDirectory is { } directory && !CanEnter(directory))
            return new SpawnException($"cannot start {options.Path} in {directory}: {reason}", errno);
        var hint = errno switch
        {
            AbiConstants.E2BIG => string.Create(
                CultureInfo.InvariantCulture,
                $"; arguments and environment take {argv.TotalBytes + envp.TotalBytes} bytes, the longest string {Math.Max(argv.LongestBytes, envp.LongestBytes)} (Linux takes {AbiConstants.MAX_ARG_STRLEN} for one string)"),
            AbiConstants.ENOENT when File.Exists(options.Path) => "; the file is there, the interpreter or loader it names is not",
            AbiConstants.EACCES when Directory.Exists(options.Path) => "; it is a directory",
            AbiConstants.EACCES when File.Exists(options.Path) => "; is it executable?",
            _ => "",
        };
        return new SpawnException($"cannot start {options.Path}: {reason}{hint}", errno);
    }

    private static unsafe bool CanEnter(string directory)
    {
        if (!Directory.Exists(directory))
            return false;
        fixed (byte* path = PosixSpawn.CString(directory))
            return Libc.access(path, AbiConstants.X_OK) == 0;
    }
}

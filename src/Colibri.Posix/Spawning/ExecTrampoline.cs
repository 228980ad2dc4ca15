namespace Colibri.Posix.Spawning;

/// <summary>The program that a process is started as while it waits to be placed: one that runs <see cref="PlacedExec.Run"/>.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Arguments">After argv[0].</param>
/// <param name="Environment">What it needs itself. The process it becomes gets nothing of it.</param>
public sealed record ExecTrampoline(string Path, IReadOnlyList<string> Arguments, EnvironmentBlock Environment)
{
    /// <summary>
    /// This very program, which must call <see cref="PlacedExec.Run"/> where its first argument is <see cref="PlacedExec.Verb"/>. The link leads to the
    /// file that is running, also when an upgrade has put another in its place or removed it.
    /// </summary>
    public static ExecTrampoline OfThisProgram { get; } = new("/proc/self/exe", [PlacedExec.Verb], EnvironmentBlock.Empty);
}

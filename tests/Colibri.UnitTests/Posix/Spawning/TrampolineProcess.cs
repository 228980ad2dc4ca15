using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Colibri.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>This test program as a trampoline, as the daemon is one: it becomes one before anything of the tests runs.</summary>
internal static class TrampolineProcess
{
    /// <summary>Starts it so.</summary>
    public static ExecTrampoline Trampoline { get; } = new(
        Path.Combine(AppContext.BaseDirectory, "Colibri.UnitTests"),
        [PlacedExec.Verb],
        // Compiled just in time it needs its runtime, and one that writes code without a descriptor of its own: a trampoline closes all.
        EnvironmentBlock.Of([new("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."))), new("DOTNET_EnableWriteXorExecute", "0")]));

    [ModuleInitializer]
    internal static void Become()
    {
        if (Environment.GetCommandLineArgs() is [_, PlacedExec.Verb])
            Environment.Exit(PlacedExec.Run());
    }
}

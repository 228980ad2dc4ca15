using System.Runtime.InteropServices;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Host;

/// <summary>
/// Runs one test of this assembly in a process of its own: for what would pull the ground from under every other test. Such a
/// test is marked Explicit, so that it runs in no other way.
/// </summary>
internal static class OwnProcess
{
    public static async Task RunsGreen(Type type, string method)
    {
        var (exit, output) = await Run(type, method);
        exit.ShouldBe(new ExitStatus(0, null), output);
        output.ShouldContain("succeeded: 1");
    }

    public static async Task<(ExitStatus Exit, string Output)> Run(Type type, string method)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Colibri.UnitTests");
        Skip.Unless(File.Exists(program), $"no {program} to run a test with");
        var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        using var home = new TemporaryDirectory();
        return await Shell.Run(new SpawnOptions
        {
            Path = program,
            Arguments = ["--treenode-filter", $"/*/{type.Namespace}/{type.Name}/{method}", "--results-directory", home.Path, "--no-ansi", "--no-progress"],
            Environment = Shell.Environment($"DOTNET_ROOT={runtime}", $"HOME={home.Path}", $"TMPDIR={home.Path}"),
        });
    }

    private sealed class TemporaryDirectory : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("colibri-own-process-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}

using System.Text;

namespace Colibri.Tests;

/// <summary>
/// Writes a line for each test that begins and one for each that ends into the file that COLIBRI_TEST_TRACE names: when a run is ended from
/// outside, the file tells which tests were under way. Read by scripts/test.sh.
/// </summary>
public static class TestTrace
{
    private static readonly Lock Gate = new();
    private static readonly string? Path = Environment.GetEnvironmentVariable("COLIBRI_TEST_TRACE");

    [BeforeEvery(HookType.Test)]
    public static void Begins(TestContext context) => Write("begin", context);

    [AfterEvery(HookType.Test)]
    public static void Ends(TestContext context) => Write("end", context);

    private static void Write(string what, TestContext context)
    {
        if (Path is null)
            return;
        var line = $"{what} {context.Metadata.TestDetails.ClassType.Name}.{context.Metadata.DisplayName.ReplaceLineEndings(" ")}\n";
        lock (Gate)
        {
            using var file = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            file.Write(Encoding.UTF8.GetBytes(line));
        }
    }
}

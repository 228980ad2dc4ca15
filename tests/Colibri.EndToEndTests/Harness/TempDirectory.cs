namespace Colibri.EndToEndTests.Harness;

/// <summary>A private folder with a path short enough for a Unix socket in it (<c>sun_path</c> holds 104 bytes), gone on disposal.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateDirectory($"/tmp/colibri-{Guid.NewGuid().ToString("N")[..10]}").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Folder(string name) => Directory.CreateDirectory(File(name)).FullName;

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }
}

namespace Colibri.UnitTests.Jsonl;

/// <summary>What real agents printed, byte for byte.</summary>
internal static class Recordings
{
    public static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "recordings");

    public static List<string> Names()
    {
        var names = new List<string>();
        foreach (var path in Directory.GetFiles(Folder, "*.jsonl").Order(StringComparer.Ordinal)) names.Add(Path.GetFileNameWithoutExtension(path));
        return names;
    }

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name + ".jsonl"));

    /// <summary>Split the plainest way there is, to hold the framer against.</summary>
    public static List<byte[]> Lines(string name)
    {
        var lines = new List<byte[]>();
        var bytes = Read(name);
        var start = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != '\n') continue;
            lines.Add(bytes[start..i]);
            start = i + 1;
        }

        if (start < bytes.Length) lines.Add(bytes[start..]);
        return lines;
    }

    public static IEnumerable<byte[]> AllLines() => Names().SelectMany(row => Lines(row));
}

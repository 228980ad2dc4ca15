using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Assets;

/// <summary>The files that pages load, which are in the executable. A file's address has a hash of its bytes, so that a browser may keep it for ever.</summary>
internal static class AssetTable
{
    private static readonly (string Name, string Type)[] Files =
    [
        ("app.js", "text/javascript; charset=utf-8"), ("app.css", "text/css; charset=utf-8"), ("icon.svg", "image/svg+xml"),
        ("uPlot.iife.min.js", "text/javascript; charset=utf-8"), ("uPlot.min.css", "text/css; charset=utf-8"),
    ];

    private static readonly Dictionary<string, Asset> ByUrl = Files.Select(file => Read(file.Name, file.Type)).ToDictionary(asset => asset.Url);

    private static readonly Dictionary<string, string> Urls = ByUrl.Values.ToDictionary(asset => asset.Name, asset => asset.Url);

    /// <summary>The address of a file.</summary>
    public static string Url(string name) => Urls[name];

    /// <summary>Sends the file of an address, or 404.</summary>
    public static async Task SendAsync(HttpContext http)
    {
        if (!ByUrl.TryGetValue(http.Request.Path, out var asset))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        http.Response.ContentType = asset.Type;
        http.Response.ContentLength = asset.Bytes.Length;
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        if (http.Request.Method != "HEAD")
            await http.Response.Body.WriteAsync(asset.Bytes, http.RequestAborted).ConfigureAwait(false);
    }

    private static Asset Read(string name, string type)
    {
        using var stream = typeof(AssetTable).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not in the executable");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new Asset(name, $"/assets/{Hash(bytes):x16}/{name}", type, bytes);
    }

    // FNV-1a, 64 bits: it tells the files of one build from those of another, and keeps no secret.
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 0xcbf29ce484222325;
        foreach (var part in bytes)
            hash = (hash ^ part) * 0x100000001b3;
        return hash;
    }

    private sealed record Asset(string Name, string Url, string Type, byte[] Bytes);
}

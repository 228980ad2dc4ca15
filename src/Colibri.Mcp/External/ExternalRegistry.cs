using System.Text.Json;
using Colibri.Posix.Host;

namespace Colibri.Mcp.External;

/// <summary>The file that says which other MCP servers may be started, and which of their tools may be called.</summary>
internal static class ExternalRegistry
{
    public const string FileName = "external-mcp.json";

    private const int MaxBytes = 1024 * 1024;
    private const int MaxServers = 64;
    private const int MaxTimeoutSeconds = 600;
    private const uint OthersMay = 0x3F;

    /// <summary>
    /// Beside the configuration file that <c>COLIBRI_CONFIG</c> names; else the first that is there, in the order in which the daemon looks for that
    /// file; the first place where none is.
    /// </summary>
    /// <param name="environment">Looks a variable up; null or empty means unset.</param>
    /// <param name="exists">Whether a file is there.</param>
    public static string Locate(Func<string, string?> environment, Predicate<string> exists)
    {
        if (environment("COLIBRI_CONFIG") is { Length: > 0 } stated)
            return Path.Combine(Path.GetDirectoryName(Path.GetFullPath(stated))!, FileName);
        List<string> directories = [];
        if (environment("XDG_CONFIG_HOME") is { Length: > 0 } configuration)
            directories.Add(configuration);
        else if (environment("HOME") is { Length: > 0 } home)
            directories.Add(Path.Combine(home, ".config"));
        directories.AddRange("/usr/local/etc", "/etc");
        var paths = directories.Select(directory => Path.Combine(directory, "colibri", FileName)).ToList();
        return paths.Find(exists) ?? paths[0];
    }

    /// <summary>Reads it. It names programs that are started and holds their secrets, so only its owner may read or write it.</summary>
    /// <exception cref="ExternalException">It is not there, others may read it, or it has a mistake.</exception>
    public static IReadOnlyList<ExternalServer> Read(string path)
    {
        try
        {
            if (!File.Exists(path))
                throw new ExternalException($"there is no registry {path} (see docs/mcp.md for what to write there)");
            var owner = FileOwner.Of(path);
            if ((owner.Mode & OthersMay) != 0)
                throw new ExternalException($"the registry {path} is open to others than its owner (try: chmod 600 {path})");
            if (owner.Uid != ProcessUser.EffectiveUid && owner.Uid != 0)
                throw new ExternalException($"the registry {path} belongs to another user (uid {owner.Uid}); it must be yours");
            if (new FileInfo(path).Length > MaxBytes)
                throw new ExternalException($"the registry {path} is larger than {MaxBytes} bytes");
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ExternalException($"the registry cannot be read: {e.Message}");
        }
    }

    /// <exception cref="ExternalException">It has a mistake; no value of it is in the message.</exception>
    internal static IReadOnlyList<ExternalServer> Parse(ReadOnlyMemory<byte> json, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var servers = document.RootElement.GetProperty("servers").EnumerateObject().Select(member => Server(member.Name, member.Value)).ToList();
            return servers.Count <= MaxServers ? servers : throw new ExternalException($"the registry {path} names more than {MaxServers} servers");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ExternalException($"the registry {path} is not understood: it is {{\"servers\":{{NAME:{{\"command\":…,\"args\":[…],\"env\":{{…}},\"allowed_tools\":[…],\"timeout_seconds\":60}}}}}}");
        }
    }

    private static ExternalServer Server(string name, JsonElement server) => new(
        name,
        server.GetProperty("command").GetString() ?? throw new JsonException(),
        server.TryGetProperty("args", out var args) ? Texts(args) : [],
        server.TryGetProperty("env", out var env) ? env.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.GetString() ?? "") : [],
        Texts(server.GetProperty("allowed_tools")),
        TimeSpan.FromSeconds(server.TryGetProperty("timeout_seconds", out var seconds) ? Math.Clamp(seconds.GetInt32(), 1, MaxTimeoutSeconds) : 60));

    private static List<string> Texts(JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetString() ?? "")];
}

/// <summary>One server of the registry.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Command">Its program: an absolute path, or a name on PATH.</param>
/// <param name="Arguments">The program's arguments.</param>
/// <param name="Variables">Added to its environment; their values are secrets.</param>
/// <param name="AllowedTools">The tools that may be called; <c>*</c> stands for all.</param>
/// <param name="Timeout">How long one call may take, the start included.</param>
internal sealed record ExternalServer(
    string Name, string Command, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables, IReadOnlyList<string> AllowedTools, TimeSpan Timeout)
{
    public bool Allows(string tool) => AllowedTools.Contains("*") || AllowedTools.Contains(tool);
}

/// <summary>An external server cannot be reached. The message is one line, without a value of the registry that may be secret.</summary>
internal sealed class ExternalException(string message) : Exception(message);

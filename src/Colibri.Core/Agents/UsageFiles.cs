using Colibri.Core.Agents.Kinds;
using Colibri.Core.Logging;
using Colibri.Core.Panes.Dialects;
using Colibri.Posix.Files;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Agents;

/// <summary>
/// The files in which agents tell at their end what they have used, one each in a directory of the state that nobody else may enter. An agent within a root
/// of its own cannot see it, and gets none.
/// </summary>
internal sealed class UsageFiles
{
    /// <summary>The most bytes that are read of one.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory;
    private readonly ILogger _logger;
    private readonly Lazy<bool> _isMade;

    /// <param name="state">The directory of the state.</param>
    /// <param name="logger">Gets why the usage of an agent is not known.</param>
    public UsageFiles(string state, ILogger logger)
    {
        (_directory, _logger) = (Path.Combine(state, "usage"), logger);
        _isMade = new Lazy<bool>(Make);
    }

    /// <summary>The path for an agent that is about to start; null where none can be had.</summary>
    public string? PathFor(string agentId) => _isMade.Value ? PathOf(agentId) : null;

    /// <summary>Reads the file of an agent that has ended, and deletes it.</summary>
    /// <returns>What its session has used; null where it is not there or tells nothing.</returns>
    public IReadOnlyList<ModelUsage>? Take(string agentId, UsageFile kind)
    {
        try
        {
            var content = OwnDirectory.Read(_directory, NameOf(agentId), MaxBytes);
            var used = content is null ? null : kind.Read(content);
            if (used is null)
                _logger.UsageUntold(agentId, content is null ? "it has written no file of it" : "its file of it cannot be understood");
            return used;
        }
        catch (IOException e)
        {
            _logger.UsageUntold(agentId, e.Message);
            return null;
        }
        finally
        {
            Delete(PathOf(agentId));
        }
    }

    private static string NameOf(string agentId) => agentId + ".json";

    private string PathOf(string agentId) => Path.Combine(_directory, NameOf(agentId));

    // What is there is left of a daemon that was killed.
    private bool Make()
    {
        try
        {
            Directory.CreateDirectory(_directory, OwnersAlone);
            File.SetUnixFileMode(_directory, OwnersAlone);
            if (!OwnDirectory.Is(_directory))
                throw new IOException($"{_directory} belongs to another user");
            foreach (var left in Directory.EnumerateFiles(_directory))
                Delete(left);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.UsageUntold("any", e.Message);
            return false;
        }
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next daemon tries again.
        }
    }
}

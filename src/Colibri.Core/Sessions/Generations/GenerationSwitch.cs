using Colibri.Core.Logging;
using Colibri.Posix.Host;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Core.Sessions.Generations;

/// <summary>
/// Makes the next generation live in one step: it is written whole under another name, synced, renamed, and its directory synced. Before
/// the rename the old generation is live and has everything; after it the new one is.
/// </summary>
internal sealed class GenerationSwitch(string directory, ILogger logger, Action<string, SwitchStep>? atStep)
{
    /// <param name="generation">The live generation, which is left read-only.</param>
    /// <param name="content">The next one's lines.</param>
    /// <exception cref="IOException">The generation is live as before.</exception>
    public void Run(int generation, IReadOnlyList<ReadOnlyMemory<byte>> content)
    {
        // What the new generation only summarises must be no less durable than the summary.
        using (var old = File.OpenHandle(SessionFile.PathOf(directory, generation), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            RandomAccess.FlushToDisk(old);
        Reached(SwitchStep.OldSynced);
        var temporary = SessionFile.TemporaryOf(directory, generation + 1);
        try
        {
            using var file = Create(temporary);
            Reached(SwitchStep.TemporaryCreated);
            RandomAccess.Write(file, content, 0);
            Reached(SwitchStep.TemporaryWritten);
            RandomAccess.FlushToDisk(file);
            Reached(SwitchStep.TemporarySynced);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        // One rename(2): without overwriting, .NET looks first and moves then.
        File.Move(temporary, SessionFile.PathOf(directory, generation + 1), overwrite: true);
        Reached(SwitchStep.Renamed);
        try
        {
            DirectorySync.Flush(directory);
            Reached(SwitchStep.DirectorySynced);
            Seal(generation);
            Reached(SwitchStep.OldSealed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The new generation is live already: what fails now can cost durability in a power cut, and no entry.
            logger.SessionNotSealed(Path.GetFileName(directory), e.Message);
        }
    }

    /// <summary>Takes up what a kill left: a temporary file that never got its name, an old generation not yet read-only.</summary>
    public void CleanUp(IReadOnlyList<int> generations)
    {
        File.Delete(SessionFile.TemporaryOf(directory, generations[^1] + 1));
        if (generations.Count > 1)
            Seal(generations[^2]);
    }

    private void Seal(int generation)
    {
        var path = SessionFile.PathOf(directory, generation);
        if (File.GetUnixFileMode(path) != SessionFile.SealedMode)
            File.SetUnixFileMode(path, SessionFile.SealedMode);
    }

    private static SafeFileHandle Create(string path)
    {
        using (ExactModes.OpenFile(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write }, SessionFile.LiveMode))
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        }
    }

    private void Reached(SwitchStep step) => atStep?.Invoke(directory, step);
}

/// <summary>The steps after which a kill can interrupt the change from one generation to the next.</summary>
internal enum SwitchStep
{
    OldSynced,
    TemporaryCreated,
    TemporaryWritten,
    TemporarySynced,
    Renamed,
    DirectorySynced,
    OldSealed,
}

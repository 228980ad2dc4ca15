using Colibri.Core.Logging;
using Colibri.Posix.Host;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Core.Sessions.Generations;

/// <summary>
/// Makes the next generation live in one step: it is written whole under another name, synced, renamed, and its directory synced. Until
/// the rename the old generation is live and complete; from then on the new one is.
/// </summary>
internal sealed class GenerationSwitch(string directory, ILogger logger, Action<string, SessionStep>? atStep)
{
    /// <param name="generation">The live generation, which is left read-only.</param>
    /// <param name="content">The next one's lines.</param>
    /// <exception cref="IOException">The generation is live as before.</exception>
    public void Run(int generation, IReadOnlyList<ReadOnlyMemory<byte>> content)
    {
        // Sync the old generation first: the entries that the new one only summarises must not be less durable than the summary.
        using (var old = File.OpenHandle(SessionFile.PathOf(directory, generation), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            RandomAccess.FlushToDisk(old);
        Reached(SessionStep.OldSynced);
        var temporary = SessionFile.TemporaryOf(directory, generation + 1);
        try
        {
            using var file = Create(temporary);
            Reached(SessionStep.TemporaryCreated);
            RandomAccess.Write(file, content, 0);
            Reached(SessionStep.TemporaryWritten);
            RandomAccess.FlushToDisk(file);
            Reached(SessionStep.TemporarySynced);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        // With overwrite, .NET makes one rename(2); without it, it checks first and moves then.
        File.Move(temporary, SessionFile.PathOf(directory, generation + 1), overwrite: true);
        Reached(SessionStep.Renamed);
        try
        {
            DirectorySync.Flush(directory);
            Reached(SessionStep.DirectorySynced);
            Seal(generation);
            Reached(SessionStep.OldSealed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The new generation is live already. A failure here loses no entry; it may cost durability in a power cut.
            logger.SessionNotSealed(Path.GetFileName(directory), e.Message);
        }
    }

    /// <summary>Makes an older generation live again: deletes those above it, whose entries it all has, and makes it writable.</summary>
    /// <exception cref="IOException">Some of them may be left; the call can be repeated.</exception>
    public void Undo(int generation)
    {
        // Its mode comes first. After a kill in between, the next start seals it again; a live generation that is still sealed would stay so.
        var path = SessionFile.PathOf(directory, generation);
        if (File.Exists(path) && File.GetUnixFileMode(path) == SessionFile.SealedMode)
            File.SetUnixFileMode(path, SessionFile.LiveMode);
        var generations = SessionFile.Generations(directory);
        for (var i = generations.Count - 1; i >= 0 && generations[i] > generation; i--)
            File.Delete(SessionFile.PathOf(directory, generations[i]));
    }

    /// <summary>Cleans up after a kill: deletes a temporary file that was never renamed, and seals old generations.</summary>
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

    private void Reached(SessionStep step) => atStep?.Invoke(directory, step);
}

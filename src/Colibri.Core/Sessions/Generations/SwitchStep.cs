namespace Colibri.Core.Sessions.Generations;

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

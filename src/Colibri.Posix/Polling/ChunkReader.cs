namespace Colibri.Posix.Polling;

/// <summary>Takes in what was read.</summary>
/// <param name="chunk">Not empty; valid until it returns.</param>
/// <returns>Completes when the next chunk may be read.</returns>
public delegate ValueTask ChunkReader(ReadOnlySpan<byte> chunk);

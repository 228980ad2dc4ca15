namespace Colibri.Protocol.Wire;

/// <summary>How a process ended: one of the two is set, or neither where the exit status was lost.</summary>
/// <param name="Code">Exit status, 0 to 255.</param>
/// <param name="Signal">The signal's number on this host.</param>
public sealed record ProcessExit(int? Code = null, int? Signal = null);

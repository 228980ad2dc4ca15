using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions;

/// <summary>An entry with its line, newline included: a kept entry goes into the next generation byte for byte.</summary>
internal readonly record struct LoggedEntry(SessionEntry Entry, ReadOnlyMemory<byte> Line)
{
    public bool IsTurn => SessionFile.IsTurn(Entry.Kind);
}

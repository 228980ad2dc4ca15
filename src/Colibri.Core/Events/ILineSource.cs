using System.Diagnostics.CodeAnalysis;

namespace Colibri.Core.Events;

/// <summary>JSON lines that a connection streams until its client closes. One thread at a time reads.</summary>
public interface ILineSource : IDisposable
{
    /// <summary>The next line, without its newline, once there is one.</summary>
    ValueTask<byte[]> ReadAsync(CancellationToken cancellation);

    /// <summary>The next line, if one is there already.</summary>
    bool TryRead([MaybeNullWhen(false)] out byte[] line);
}

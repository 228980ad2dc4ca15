namespace Colibri.Mcp.Hosting;

/// <summary>
/// A stream of lines that fails once a line is longer than 16 MiB: the SDK reads a message as one line, of any length. The limit is four times
/// that of a request to the daemon, because JSON within JSON may need four bytes for one.
/// </summary>
/// <param name="lines">The stream.</param>
/// <param name="maxBytes">It fails as well once it has given more than so many bytes.</param>
internal sealed class LineLimit(Stream lines, long maxBytes = long.MaxValue) : Stream
{
    public const int MaxLineBytes = 16 * 1024 * 1024;

    private long _line;
    private long _all;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var read = lines.Read(buffer);
        Count(buffer[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await lines.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Count(buffer.Span[..read]);
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            lines.Dispose();
        base.Dispose(disposing);
    }

    private void Count(ReadOnlySpan<byte> read)
    {
        var newline = read.LastIndexOf((byte)'\n');
        _line = newline < 0 ? _line + read.Length : read.Length - newline - 1;
        if (_line > MaxLineBytes)
            throw new IOException($"a message is longer than {MaxLineBytes} bytes");
        _all += read.Length;
        if (_all > maxBytes)
            throw new IOException($"there are more than {maxBytes} bytes of messages");
    }
}

using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>
/// Writes to a descriptor that other processes write to as well, by write(2) at the offset that all of them share. A FileStream writes at a
/// position of its own, over what others wrote; the console's stream hides the error of a broken pipe. The descriptor stays open.
/// </summary>
public sealed class DescriptorStream(int descriptor) : Stream
{
    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Writes all bytes, in as many calls as that takes.</summary>
    /// <exception cref="IOException">The descriptor is closed, the disk is full, or the pipe is broken; the message says which.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            for (var written = 0; written < buffer.Length;)
            {
                var count = Libc.write(descriptor, start + written, (nuint)(buffer.Length - written));
                if (count >= 0)
                    written += (int)count;
                else if (Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                    throw new IOException($"cannot write to descriptor {descriptor}: {Errno.Describe(error)}");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Nothing is held back.</summary>
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

using System.Net.Sockets;
using System.Text;

namespace Colibri.UnitTests.Protocol.Client;

/// <summary>The fake daemon's end of one connection.</summary>
internal sealed class FakeConnection(Socket socket)
{
    /// <summary>One line, its newline added.</summary>
    public Task SendAsync(string line) => SendRawAsync(Encoding.UTF8.GetBytes(line + "\n"));

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None)..];
    }

    public void Close() => socket.Dispose();
}

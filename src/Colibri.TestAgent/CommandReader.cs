using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Colibri.TestAgent;

/// <summary>Reads the lines of stdin on a thread of its own, so that a run can be asked about and stopped while it is printed.</summary>
internal sealed class CommandReader
{
    private const int LineLimit = 16 * 1024 * 1024;

    // Bounded: who sends faster than it is read waits in the pipe.
    private const int QueueLimit = 256;

    private readonly Stream _input;
    private readonly Queue<AgentCommand> _commands = new();
    private bool _inputEnded;

    public CommandReader(Stream input)
    {
        _input = input;
        new Thread(Read) { IsBackground = true, Name = "stdin" }.Start();
    }

    /// <summary>No command is left and none will come.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_commands)
                return _inputEnded && _commands.Count == 0;
        }
    }

    /// <summary>Takes the next command, waiting for it so long. False: none came, or <see cref="HasEnded"/>.</summary>
    public bool TryTake(TimeSpan wait, [NotNullWhen(true)] out AgentCommand? command)
    {
        var started = Stopwatch.GetTimestamp();
        lock (_commands)
        {
            while (_commands.Count == 0 && !_inputEnded)
            {
                var left = wait == Timeout.InfiniteTimeSpan ? wait : wait - Stopwatch.GetElapsedTime(started);
                if (left != Timeout.InfiniteTimeSpan && left <= TimeSpan.Zero)
                    break;
                Monitor.Wait(_commands, left);
            }
            Monitor.PulseAll(_commands);
            return _commands.TryDequeue(out command);
        }
    }

    private void Read()
    {
        var line = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = _input.Read(buffer)) > 0;)
                Split(buffer.AsSpan(0, read), line);
        }
        catch (IOException)
        {
            // A descriptor that cannot be read has no commands either.
        }
        if (line.Length > 0)
            Add(line);
        lock (_commands)
        {
            _inputEnded = true;
            Monitor.PulseAll(_commands);
        }
    }

    private void Split(ReadOnlySpan<byte> bytes, MemoryStream line)
    {
        for (int end; (end = bytes.IndexOf((byte)'\n')) >= 0; bytes = bytes[(end + 1)..])
        {
            Append(bytes[..end], line);
            Add(line);
        }
        Append(bytes, line);
    }

    // One byte over the limit is kept: it marks the line as too long without keeping the rest of it.
    private static void Append(ReadOnlySpan<byte> bytes, MemoryStream line) =>
        line.Write(bytes[..(int)long.Min(bytes.Length, LineLimit + 1 - line.Length)]);

    private void Add(MemoryStream line)
    {
        var bytes = line.GetBuffer().AsSpan(0, (int)line.Length).TrimEnd((byte)'\r');
        var command = bytes.Length > LineLimit ? AgentCommand.Broken($"longer than {LineLimit} bytes") : AgentCommand.Parse(bytes);
        line.SetLength(0);
        lock (_commands)
        {
            while (_commands.Count >= QueueLimit)
                Monitor.Wait(_commands);
            _commands.Enqueue(command);
            Monitor.PulseAll(_commands);
        }
    }
}

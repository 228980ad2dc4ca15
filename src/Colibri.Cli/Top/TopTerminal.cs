using System.Runtime.InteropServices;
using System.Threading.Channels;
using Colibri.Posix.Terminals;

namespace Colibri.Cli.Top;

/// <summary>What the loop draws on.</summary>
internal interface ITopTerminal
{
    /// <summary>Columns and rows as they are now.</summary>
    (int Width, int Height) Size { get; }

    /// <summary>Takes the screen; what was on it comes back with <see cref="Leave"/>.</summary>
    void Enter();

    /// <summary>May be called at any time, and more than once.</summary>
    void Leave();

    /// <exception cref="IOException">The terminal is gone.</exception>
    void Write(ReadOnlyMemory<byte> bytes);

    /// <summary>Stops the process until it is told to go on.</summary>
    void Stop();
}

/// <summary>The real one: its keys and the process's signals become items of the loop.</summary>
internal sealed class TopTerminal : ITopTerminal, IDisposable
{
    /// <summary>How long an Escape may wait for the rest of its sequence. Over a slow line a sequence still comes in one piece.</summary>
    private const int EscapeMs = 50;
    private const int ReadBytes = 1_024;
    private static readonly (int Width, int Height) DefaultSize = (80, 24);
    private readonly TerminalDevice _device = new();
    private readonly Lock _turn = new();
    private readonly Stream _output;
    private readonly ChannelWriter<TopItem> _items;
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _isEntered;

    public TopTerminal(Stream output, ChannelWriter<TopItem> items)
    {
        (_output, _items) = (output, items);
        On(PosixSignal.SIGINT, new TopItem.End());
        On(PosixSignal.SIGTERM, new TopItem.End());
        On(PosixSignal.SIGHUP, new TopItem.End());
        On(PosixSignal.SIGQUIT, new TopItem.End());
        On(PosixSignal.SIGTSTP, new TopItem.Suspend());
        On(PosixSignal.SIGWINCH, new TopItem.Redraw(Anew: false));
        On(PosixSignal.SIGCONT, new TopItem.Redraw(Anew: true));
        AppDomain.CurrentDomain.UnhandledException += OnUnhandled;
    }

    public (int Width, int Height) Size => TerminalDevice.Size() ?? DefaultSize;

    public void Enter()
    {
        lock (_turn)
        {
            _device.EnterRaw();
            _isEntered = true;
            _output.Write(Painter.Enter);
        }
    }

    public void Leave()
    {
        lock (_turn)
        {
            if (!_isEntered)
                return;
            _isEntered = false;
            try
            {
                _output.Write(Painter.Leave);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It is gone, and there is nothing to be left clean.
            }
            _device.Restore();
        }
    }

    public void Write(ReadOnlyMemory<byte> bytes) => _output.Write(bytes.Span);

    public void Stop() => TerminalDevice.Stop();

    /// <summary>Keys come from a thread of their own, which waits in poll(2) and ends with the process.</summary>
    public void ReadKeys()
    {
        var thread = new Thread(ReadToEnd, 256 * 1024) { IsBackground = true, Name = "keys" };
        thread.Start();
    }

    public void Dispose()
    {
        Leave();
        AppDomain.CurrentDomain.UnhandledException -= OnUnhandled;
        foreach (var signal in _signals)
            signal.Dispose();
    }

    private void ReadToEnd()
    {
        var keys = new Keys();
        Span<byte> bytes = stackalloc byte[ReadBytes];
        while (true)
        {
            var count = TerminalDevice.Read(bytes, keys.IsUndecided ? EscapeMs : -1);
            if (count == 0)
                break;
            if (count == TerminalDevice.NothingYet)
                Send(keys.Settle());
            else
                foreach (var key in keys.Take(bytes[..count]))
                    Send(key);
        }
        Send(new TopItem.End());
    }

    private void Send(Key? key)
    {
        if (key is { Kind: not KeyKind.Other } typed)
            Send(new TopItem.Typed(typed));
    }

    /// <summary>A full loop makes the key wait: on this thread nothing else does.</summary>
    private void Send(TopItem item)
    {
        while (!_items.TryWrite(item))
        {
            var room = _items.WaitToWriteAsync().AsTask();
            if (!room.GetAwaiter().GetResult())
                return;
        }
    }

    private void On(PosixSignal signal, TopItem item) => _signals.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Send(item);
    }));

    private void OnUnhandled(object sender, UnhandledExceptionEventArgs e) => Leave();
}

using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Host;

[NotInParallel]
public sealed class InitProcessTests
{
    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_signal_reaches_the_child_whether_it_comes_before_or_after_its_start(bool isEarly)
    {
        var relay = new SignalRelay();
        if (isEarly)
            relay.Pass(Signals.Usr1);
        var child = SharedChildren.Instance.Spawn(Shell.Options("exec sleep 300"));

        relay.SendTo(child.Pid);
        if (!isEarly)
            relay.Pass(Signals.Usr1);

        (await Shell.Exit(child)).Signal.ShouldBe(Signals.Usr1);
    }

    [Test]
    public unsafe void Strings_of_any_bytes_are_handed_on_as_they_are()
    {
        using var strings = new NativeStrings((ReadOnlySpan<byte>)[(byte)'A', (byte)'=', 0xff, 0, 0, (byte)'B', (byte)'=', (byte)'2', 0]);
        using var none = new NativeStrings(default);

        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(strings.Pointer[0]).ToArray().ShouldBe([(byte)'A', (byte)'=', 0xff]);
        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(strings.Pointer[1]).Length.ShouldBe(0);
        MemoryMarshal.CreateReadOnlySpanFromNullTerminated(strings.Pointer[2]).ToArray().ShouldBe("B=2"u8.ToArray());
        (strings.Pointer[3] == null).ShouldBeTrue();
        (none.Pointer[0] == null).ShouldBeTrue();
        Should.Throw<ArgumentException>(() => new NativeStrings("A"u8));
    }
}

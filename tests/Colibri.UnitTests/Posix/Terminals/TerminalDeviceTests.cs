using System.Buffers.Binary;
using Colibri.Posix.Interop;
using Colibri.Posix.Terminals;

namespace Colibri.UnitTests.Posix.Terminals;

public sealed class TerminalDeviceTests
{
    [Test]
    public void Raw_keeps_the_keys_for_signals_on_both_systems()
    {
        foreach (var abi in new[] { AbiConstants.Linux, AbiConstants.LinuxArm64, AbiConstants.FreeBsd })
        {
            var modes = new byte[abi.SizeOfTermios];
            modes.AsSpan().Fill(0xff);
            TerminalDevice.MakeRaw(modes, abi);

            BinaryPrimitives.ReadUInt32LittleEndian(modes.AsSpan(AbiConstants.OffsetOfCIflag)).ShouldBe(~(AbiConstants.ICRNL | abi.IXON));
            BinaryPrimitives.ReadUInt32LittleEndian(modes.AsSpan(AbiConstants.OffsetOfCLflag)).ShouldBe(~(abi.ICANON | AbiConstants.ECHO | abi.IEXTEN));
            // <bits/termios-c_lflag.h>: 1; sys/sys/_termios.h: 0x80.
            var isig = abi == AbiConstants.FreeBsd ? 0x80u : 1u;
            ((abi.ICANON | AbiConstants.ECHO | abi.IEXTEN) & isig).ShouldBe(0u);
            (modes[abi.OffsetOfCCc + abi.VMIN], modes[abi.OffsetOfCCc + abi.VTIME]).ShouldBe(((byte)1, (byte)0));
            modes.Count(one => one != 0xff).ShouldBeLessThanOrEqualTo(6);
        }
    }

    [Test]
    public void A_pipe_is_no_terminal()
    {
        using var nothing = File.OpenHandle("/dev/null");
        TerminalDevice.IsTerminal((int)nothing.DangerousGetHandle()).ShouldBeFalse();
    }
}

using System.Buffers.Binary;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;

namespace Colibri.UnitTests.Posix.Processes;

public sealed class ProcessTableTests
{
    [Test]
    [Arguments("sh")]
    [Arguments("a b")]
    [Arguments(") S 1 1 1")]
    [Arguments("((x) y)")]
    public void A_command_name_may_hold_anything(string name)
    {
        var stat = Encoding.ASCII.GetBytes($"4711 ({name}) R 17 18 19 0 -1 4194304 91 0 0 0 0 0 0 0 20 0 1 0 987654 2703360 330\n");
        LinuxProcesses.TryParseStat(stat, out var entry).ShouldBeTrue();
        entry.ShouldBe(new ProcessEntry(4711, 17, 18, 19, 987654, false));
    }

    [Test]
    [Arguments('Z', true)]
    [Arguments('X', true)]
    [Arguments('D', false)]
    [Arguments('T', false)]
    public void A_zombie_is_known_by_its_state(char state, bool zombie)
    {
        var stat = Encoding.ASCII.GetBytes($"1 (x) {state} 0 1 1 0 -1 4194304 91 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n");
        LinuxProcesses.TryParseStat(stat, out var entry).ShouldBeTrue();
        entry.IsZombie.ShouldBe(zombie);
    }

    [Test]
    [Arguments("")]
    [Arguments("12 (sh")]
    [Arguments("12 (sh)")]
    [Arguments("12 (sh) S 1 2 3")]
    [Arguments("x (sh) R 17 18 19 0 -1 4194304 91 0 0 0 0 0 0 0 20 0 1 0 987654 2703360 330")]
    public void A_line_that_is_no_stat_line_is_refused(string line) =>
        LinuxProcesses.TryParseStat(Encoding.ASCII.GetBytes(line), out _).ShouldBeFalse();

    [Test]
    public void Rows_of_the_FreeBSD_process_table_are_read_one_after_the_other()
    {
        var table = new byte[(2 * 1088) + 3];
        WriteKinfo(table, 100, 1, 5);
        WriteKinfo(table.AsSpan(1088), 200, 100, 2);
        FreeBsdProcesses.ParseAll(table, bootTime: 1_000_000_000).ShouldBe(
        [
            new ProcessEntry(100, 1, 101, 102, 2_500_100, true),
            new ProcessEntry(200, 100, 201, 202, 2_500_200, false),
        ]);

        static void WriteKinfo(Span<byte> row, int pid, int parent, byte state)
        {
            BinaryPrimitives.WriteInt32LittleEndian(row[72..], pid);
            BinaryPrimitives.WriteInt32LittleEndian(row[76..], parent);
            BinaryPrimitives.WriteInt32LittleEndian(row[80..], pid + 1);
            BinaryPrimitives.WriteInt32LittleEndian(row[88..], pid + 2);
            BinaryPrimitives.WriteInt64LittleEndian(row[336..], 1002);
            BinaryPrimitives.WriteInt64LittleEndian(row[344..], 500_000 + pid);
            row[388] = state;
        }
    }

    [Test]
    public void A_process_has_the_name_of_its_program()
    {
        ProcessIdentity.TryRead(Environment.ProcessId, out var self).ShouldBeTrue();
        ProcessName.Of(self).ShouldBe(File.ReadAllText("/proc/self/comm").TrimEnd('\n'));
        ProcessName.Of(self with { StartTime = self.StartTime + 1 }).ShouldBeNull();
        ProcessName.Clean("a\u001bb"u8).ShouldBe("a\uFFFDb");
    }

    [Test]
    [Arguments("sleep\0\0\0", "sleep")]
    [Arguments("nineteen-bytes-long", "nineteen-bytes-long")]
    [Arguments("\0", "")]
    public void The_name_of_a_FreeBSD_process_ends_at_its_NUL_or_after_19_bytes(string field, string name)
    {
        var row = new byte[1088];
        Array.Fill(row, (byte)'x');
        Encoding.ASCII.GetBytes(field, row.AsSpan(447));
        Encoding.ASCII.GetString(FreeBsdProcesses.NameIn(row)).ShouldBe(name);
    }

    [Test]
    public void This_process_is_in_the_table()
    {
        ProcessIdentity.TryRead(Environment.ProcessId, out var self).ShouldBeTrue();
        self.IsRunning.ShouldBeTrue();
        self.StartTime.ShouldBeGreaterThan(0);
        self.BootId.ShouldBe(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
        ProcessTable.Snapshot().ShouldContain(entry => entry.Identity == self);
    }

    [Test]
    public void A_pid_that_no_process_can_have_is_not_there()
    {
        ProcessIdentity.TryRead(0, out _).ShouldBeFalse();
        ProcessIdentity.TryRead(-1, out _).ShouldBeFalse();
        ProcessIdentity.TryRead(int.MaxValue, out _).ShouldBeFalse();
    }
}

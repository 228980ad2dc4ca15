using System.Buffers.Binary;
using System.Text;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Processes;

/// <summary>What a process and a tree hold, as the system tells it.</summary>
public sealed class ProcessMemoryTests
{
    /// <summary>/proc/PID/smaps_rollup of a shell on Linux 6.18, cut behind what is read.</summary>
    private const string Rollup = """
        55b3a0c9e000-7ffc4c1f2000 ---p 00000000 00:00 0                          [rollup]
        Rss:                1792 kB
        Pss:                 243 kB
        Pss_Dirty:           112 kB
        Pss_Anon:            104 kB
        Pss_File:            139 kB
        Pss_Shmem:             8 kB
        Shared_Clean:       1680 kB

        """;

    [Test]
    [Arguments("1234 567 89 1 0 100 0\n", 567)]
    [Arguments("1234", 0)]
    [Arguments("", 0)]
    public void The_second_number_of_statm_is_what_is_resident(string statm, long pages) => ProcessMemory.ParseStatm(Encoding.ASCII.GetBytes(statm)).ShouldBe(pages);

    [Test]
    public void The_share_of_a_process_leaves_out_the_pages_of_files()
    {
        ProcessMemory.ParseRollup(Encoding.ASCII.GetBytes(Rollup)).ShouldBe(112 * 1024);
        ProcessMemory.ParseRollup("Rss: 1792 kB\nPss:  243 kB\n"u8).ShouldBe(243 * 1024, "an older kernel tells the whole alone");
        ProcessMemory.ParseRollup(""u8).ShouldBeNull();
    }

    [Test]
    public void A_row_of_the_FreeBSD_process_table_has_the_resident_pages()
    {
        // ki_rssize stands 264 bytes from the start (sys/user.h, amd64).
        var row = new byte[1088];
        BinaryPrimitives.WriteInt64LittleEndian(row.AsSpan(264), 4_711);
        FreeBsdProcesses.ResidentPagesIn(row).ShouldBe(4_711);
    }

    [Test]
    public async Task What_a_tree_holds_is_the_sum_over_its_processes()
    {
        var marker = Shell.NewMarker();
        // tail(1) keeps what it may have to print until the end of its input, which does not come.
        var (root, output) = Shell.Start(Shell.Options("echo ready; (head -c 60000000 /dev/zero; sleep 300) | tail -c 60000000", marker));
        using (output)
        {
            (await output.ReadLine()).ShouldBe("ready");
            var tree = new ProcessTree(root, marker);
            try
            {
                Shell.Until(() => tree.MemoryHeld(10_000_000, null) > 60_000_000, "it is held, by each process's own share");
                tree.MemoryHeld(long.MaxValue, null).ShouldBeInRange(60_000_000, 90_000_000, "by what is resident");
                ProcessMemory.Resident(root.Pid).ShouldBeInRange(1, 20_000_000, "the shell's own");
            }
            finally
            {
                Shell.Destroy(tree);
            }
            tree.MemoryHeld(long.MaxValue, null).ShouldBe(0);
        }
    }
}

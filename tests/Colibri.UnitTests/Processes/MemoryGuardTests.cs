using Colibri.Core.Processes;

namespace Colibri.UnitTests.Processes;

/// <summary>When a tree is over its limit of memory, and how that is told.</summary>
public sealed class MemoryGuardTests
{
    private const long Limit = 100 << 20;

    /// <summary>What looks find, in MiB, and the look at which the tree has to end; 0 for none.</summary>
    [Test]
    [Arguments(new[] { 100, 100, 100 }, 0)]
    [Arguments(new[] { 101, 100, 101, 99, 150, 0 }, 0)]
    [Arguments(new[] { 101, 101 }, 2)]
    [Arguments(new[] { 20, 150, 149 }, 3)]
    [Arguments(new[] { 20, 151 }, 2)]
    [Arguments(new[] { 300 }, 1)]
    public void Two_looks_in_a_row_end_it_or_one_that_finds_half_as_much_again(int[] mebibytes, int ends)
    {
        var looks = new MemoryLooks(Limit);
        var found = mebibytes.Select(held => looks.Add((long)held << 20)).ToList();
        (found.IndexOf(true) + 1).ShouldBe(ends);
    }

    [Test]
    public void What_happened_is_told_with_the_limit_its_name_and_what_is_known_of_the_peak()
    {
        var limit = new MemoryLimit(Limit, "memory of the profile claude");
        new MemoryExcess(limit, 301 << 20, IsByKernel: false).Words.ShouldBe(
            "went over the limit of 100 MiB of memory (memory of the profile claude, looked at each second) and was ended; at most 301 MiB was seen; larger work needs a higher memory of the profile claude");
        new MemoryExcess(limit, Limit, IsByKernel: true).Words.ShouldBe(
            "reached the limit of 100 MiB of memory (memory of the profile claude, kept by its cgroup) and was ended by the kernel; at most 100 MiB was held; larger work needs a higher memory of the profile claude");
        new MemoryExcess(limit, null, IsByKernel: true).Words.ShouldNotContain("at most");
    }
}

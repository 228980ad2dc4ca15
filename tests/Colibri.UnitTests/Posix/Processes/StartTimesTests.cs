using System.Text.RegularExpressions;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Posix.Processes;

/// <summary>Six idle processes on FreeBSD 15.1, watched over four steps of the clock: linprocfs moved three of them by one tick, up or down.</summary>
public sealed class StartTimesTests
{
    [Test]
    [Arguments(OperatingSystemKind.Linux, 0)]
    [Arguments(OperatingSystemKind.FreeBsd, 0)]
    [Arguments(OperatingSystemKind.LinuxOnFreeBsd, 2)]
    public void Two_readings_of_one_process_are_told_from_two_processes(OperatingSystemKind kind, long tolerance)
    {
        const long Recorded = 35990;
        for (var moved = -5L; moved <= 5; moved++)
        {
            var isSame = Math.Abs(moved) <= tolerance;
            StartTimes.AreSame(Recorded, Recorded + moved, kind).ShouldBe(isSame, $"{moved}");
            StartTimes.IsBefore(Recorded, Recorded + moved, kind).ShouldBe(!isSame && moved > 0, $"{moved}");
        }
    }

    [Test]
    public void Identities_are_compared_by_pid_boot_and_start_time()
    {
        var one = new ProcessIdentity(10, 500, "boot");
        one.IsSameAs(one).ShouldBeTrue();
        one.IsSameAs(one with { Pid = 11 }).ShouldBeFalse();
        one.IsSameAs(one with { BootId = "another" }).ShouldBeFalse();
        one.IsSameAs(one with { StartTime = 510 }).ShouldBeFalse();
    }

    /// <summary>A comparison elsewhere would take a living agent for a stranger once the clock was set.</summary>
    [Test]
    public void Start_times_are_compared_in_one_place()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file) is "StartTimes.cs")
                continue;
            foreach (var line in File.ReadLines(file))
            {
                var isCompared = Regex.IsMatch(line, @"StartTime\b\)?\s*(==|!=|<=|>=|<|>)\s*(?!0\b)[\w.(]") && !line.TrimStart().StartsWith("//", StringComparison.Ordinal);
                isCompared.ShouldBeFalse($"{file}: {line}");
            }
        }
    }
}

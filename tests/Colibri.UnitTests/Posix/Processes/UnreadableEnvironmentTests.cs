using System.Diagnostics;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Processes;

/// <summary>A process can make its own environment unreadable; that must not keep anybody else from being ended.</summary>
[NotInParallel]
public sealed class UnreadableEnvironmentTests
{
    private const string Orphan = "(env -i setsid sh -c 'echo $$; exec sleep 300' &)";

    public static List<(EnvironmentStep, int)> Failures() => FailingEnvironment.Failures();

    [Test]
    [MethodDataSource(nameof(Failures))]
    public async Task A_tree_is_ended_though_the_environment_of_one_of_it_cannot_be_read(EnvironmentStep step, int errno)
    {
        // The orphan speaks last: by then all three are there.
        var (root, output) = Shell.Start(Shell.Options($"trap '' TERM; sleep 300 & {Orphan}; wait", Shell.NewMarker()));
        var tree = new ProcessTree(root, Shell.NewMarker());
        using var _ = output;
        try
        {
            var orphan = await output.ReadProcess();
            Shell.Until(() => ProcessTable.TryRead(orphan.Pid, out var entry) && entry.ParentPid == Environment.ProcessId, "the orphan is ours");
            using var failing = new FailingEnvironment(orphan.Pid, step, errno);

            tree.Members().ShouldContain(orphan);
            tree.Signal(Signals.Term).ShouldBe(3);
            Shell.Destroy(tree);

            failing.Failed.ShouldBeGreaterThan(0);
            await Shell.Exit(root);
            orphan.IsRunning.ShouldBeFalse();
            tree.HasStrays().ShouldBeFalse();
        }
        finally
        {
            // A root that a failed test left would be an older one to the next test's orphan.
            Shell.Destroy(tree);
        }
    }

    [Test]
    [MethodDataSource(nameof(Failures))]
    public async Task A_tree_is_ended_beside_a_strangers_process_whose_environment_cannot_be_read(EnvironmentStep step, int errno)
    {
        // The older root lives, so the orphan may be its own: it is nobody's.
        var (older, olderOutput) = Shell.Start(Shell.Options($"{Orphan}; exec sleep 300", Shell.NewMarker()));
        using var olderPipe = olderOutput;
        var orphan = await olderOutput.ReadProcess();
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options("(setsid sleep 300 & echo $!); exec sleep 300", marker));
        using var pipe = output;
        var tree = new ProcessTree(root, marker);
        try
        {
            var stray = await output.ReadProcess();
            // An environment reads as empty in the last part of an exec.
            Shell.Until(() => Shell.IsSleep(root.Pid) && Shell.IsSleep(stray.Pid), "both have executed");
            Shell.Until(() => ProcessTree.FindByMarker(marker).Count == 2, "both are seen");
            using (var failing = new FailingEnvironment(orphan.Pid, step, errno))
            {
                tree.Members().ShouldBe([root.Identity, stray], ignoreOrder: true);
                ProcessTree.Of(root.Identity, marker).HasStrays().ShouldBeTrue();
                ProcessTree.FindByMarker(marker).ShouldBe([root.Identity, stray], ignoreOrder: true);
                Shell.Destroy(tree);
                ProcessTree.FindByMarker(marker).ShouldBeEmpty();
                failing.Failed.ShouldBeGreaterThan(0);
            }
            await Shell.Exit(root);
            stray.IsRunning.ShouldBeFalse();
            orphan.IsRunning.ShouldBeTrue();
        }
        finally
        {
            // What a failed test left would be a stranger to the next one.
            Shell.Destroy(tree);
            older.Signal(Signals.Kill);
            await Shell.Exit(older);
            _ = Colibri.Posix.Trees.ProcessSignal.Send(orphan, Signals.Kill);
        }
        Shell.Until(() => !orphan.IsRunning, "the orphan is gone");
    }

    [Test]
    [Arguments(23)]
    [Arguments(24)]
    public async Task Want_of_descriptors_says_nothing_about_a_marker(int errno)
    {
        var marker = Shell.NewMarker();
        var (root, output) = Shell.Start(Shell.Options("echo ready; exec sleep 300", marker));
        using (output)
        {
            (await output.ReadLine()).ShouldBe("ready");
            using (new FailingEnvironment(root.Pid, EnvironmentStep.Open, errno))
            {
                Should.Throw<IOException>(() => ProcessEnvironment.Has(root.Pid, "X=y"u8));
                Should.Throw<IOException>(() => ProcessTree.FindByMarker(marker));
            }
            Shell.Destroy(new ProcessTree(root, marker));
            await Shell.Exit(root);
        }
    }

    [Test]
    [Arguments("none")]
    [Arguments("unmapped")]
    [Arguments("unterminated")]
    [Arguments("endless")]
    public async Task A_process_that_takes_its_environment_away_keeps_nobody_waiting(string how)
    {
        Skip.Unless(HostPlatform.Kind == OperatingSystemKind.Linux, "not Linux: no PR_SET_MM_MAP to move an environment with");
        Skip.Unless(File.Exists("/usr/bin/cc"), "no C compiler at /usr/bin/cc");
        var directory = Directory.CreateTempSubdirectory("colibri-environ-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "hide.c"), Hide);
            var (compiled, words) = await Shell.Run(Shell.Options("cc -o hide hide.c") with { WorkingDirectory = directory.FullName });
            compiled.ShouldBe(new ExitStatus(0, null), words);
            var marker = Shell.NewMarker();
            var (root, output) = Shell.Start(Shell.Options($"(setsid ./hide {how} &)", marker) with { WorkingDirectory = directory.FullName });
            using (output)
            {
                var first = await output.ReadLine();
                Skip.When(first.StartsWith("cannot", StringComparison.Ordinal), $"this kernel does not move an environment: {first}");
                ProcessIdentity.TryRead(int.Parse(first, System.Globalization.CultureInfo.InvariantCulture), out var hidden).ShouldBeTrue();
                await Shell.Exit(root);

                var since = Stopwatch.GetTimestamp();
                ProcessEnvironment.Has(hidden.Pid, "COLIBRI_AGENT_ID="u8, prefix: true).ShouldBe(how == "unterminated");
                ProcessTree.FindByMarker(Shell.NewMarker()).ShouldBeEmpty();
                Stopwatch.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromSeconds(5));

                var tree = new ProcessTree(root, marker);
                tree.Members().ShouldBe([hidden]);
                Shell.Destroy(tree);
                hidden.IsRunning.ShouldBeFalse();
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    // Tells the kernel that its environment is elsewhere (PR_SET_MM_MAP, prctl(2)), which takes no right. Touches none of the 16 TiB.
    private const string Hide = """
        #include <fcntl.h>
        #include <linux/prctl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <unistd.h>

        int main(int argc, char **argv) {
          static char stat[4096], marker[128];
          unsigned long field[64], size = 1UL << 44;
          struct prctl_mm_map map;
          char *text, *word, *start = NULL;
          int at = 3, fd = open("/proc/self/stat", O_RDONLY);

          (void)argc;
          stat[read(fd, stat, sizeof stat - 1)] = 0;
          text = strrchr(stat, ')') + 2;
          for (word = strtok(text, " "); word && at < 64; word = strtok(NULL, " "))
            field[at++] = strtoul(word, NULL, 10);
          if (strcmp(argv[1], "endless") == 0)
            start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
          if (strcmp(argv[1], "unmapped") == 0) {
            size = 1UL << 20;
            start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          }
          if (strcmp(argv[1], "unterminated") == 0) {
            size = sprintf(marker, "COLIBRI_AGENT_ID=%s", getenv("COLIBRI_AGENT_ID"));
            start = marker;
          }
          if (strcmp(argv[1], "none") == 0) {
            size = 0;
            start = marker;
          }
          if (start == MAP_FAILED) {
            puts("cannot map");
            return 1;
          }
          memset(&map, 0, sizeof map);
          map.start_code = field[26];
          map.end_code = field[27];
          map.start_stack = field[28];
          map.start_data = field[45];
          map.end_data = field[46];
          map.start_brk = field[47];
          map.brk = (unsigned long)sbrk(0);
          map.arg_start = field[48];
          map.arg_end = field[49];
          map.env_start = (unsigned long)start;
          map.env_end = (unsigned long)start + size;
          map.exe_fd = (unsigned)-1;
          if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0)) {
            puts("cannot be set");
            return 1;
          }
          if (strcmp(argv[1], "unmapped") == 0)
            munmap(start, size);
          printf("%d\n", getpid());
          fflush(stdout);
          pause();
          return 0;
        }
        """;
}

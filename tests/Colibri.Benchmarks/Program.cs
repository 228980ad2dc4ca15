using System.Globalization;
using Colibri.Benchmarks;
using Colibri.Protocol.Wire;

const string Usage = """
    usage: colibri-benchmarks fold MEGABYTES PASSES RUNTIME FILE...
           colibri-benchmarks spawn COUNT PROGRAM
           colibri-benchmarks append COUNT fast|smart|max FOLDER
           colibri-benchmarks sessions COUNT FOLDER
    Prints one "name value" a line. scripts/bench.sh runs it beside its peers.
    """;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["fold", var megabytes, var passes, var runtime, _, ..] when Number(megabytes) is { } size && Number(passes) is { } times:
        FoldBenchmark.Run(size, times, runtime, args[4..]);
        return 0;
    case ["spawn", var count, var program] when Number(count) is { } starts:
        await SpawnBenchmark.RunAsync(starts, program).ConfigureAwait(false);
        return 0;
    case ["append", var count, var word, var folder] when Number(count) is { } appends && Enum.TryParse<CostMode>(word, ignoreCase: true, out var mode):
        await SessionsBenchmark.AppendAsync(appends, mode, folder).ConfigureAwait(false);
        return 0;
    case ["sessions", var count, var folder] when Number(count) is { } sessions:
        await SessionsBenchmark.OpenAsync(sessions, folder).ConfigureAwait(false);
        return 0;
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

static int? Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

using System.Globalization;
using Colibri.Benchmarks;

const string Usage = """
    usage: colibri-benchmarks fold MEGABYTES PASSES RUNTIME FILE...
           colibri-benchmarks spawn COUNT PROGRAM
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
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

static int? Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

using System.Text;
using Colibri.Core.Cost;
using Colibri.Core.Settings;

namespace Colibri.UnitTests.Cost;

public sealed class PriceTableTests
{
    private static readonly PriceTable Prices = PriceTable.Parse("""
        {
          // US dollars for a million tokens
          "mock/mock-1": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75},
          "mock/*": {"input": 1, "output": 2},
          "bare-model": {"input": 0.075},
        }
        """u8.ToArray());

    [Test]
    [Arguments("mock", "mock-1", 324, 52, 2176, 0, 240_480)]
    [Arguments("mock", "mock-1", 0, 0, 0, 1, 375)]
    [Arguments("mock", "another", 10, 10, 0, 0, 3_000)]
    [Arguments("elsewhere", "bare-model", 1, 0, 0, 0, 8)]
    [Arguments("elsewhere", "bare-model", 1_000_000, 0, 0, 0, 7_500_000)]
    [Arguments("elsewhere", "bare-model", 0, 0, 0, 0, 0)]
    public void A_cost_is_exact_to_the_micro_cent(string provider, string model, long input, long output, long cacheRead, long cacheWrite, long cost) =>
        Prices.CostOf(provider, model, input, output, cacheRead, cacheWrite).ShouldBe(cost);

    [Test]
    [Arguments("elsewhere", "another", 1, 0, 0)]
    [Arguments("mock", "another", 1, 1, 1)]
    [Arguments("elsewhere", "bare-model", 1, 1, 0)]
    public void What_has_no_price_has_no_cost(string provider, string model, long input, long output, long cacheRead) =>
        Prices.CostOf(provider, model, input, output, cacheRead, 0).ShouldBeNull();

    [Test]
    public void A_cost_beyond_all_measure_is_none() => Prices.CostOf("mock", "mock-1", long.MaxValue, 0, 0, 0).ShouldBeNull();

    [Test]
    [Arguments("[]", "it is no JSON object")]
    [Arguments("{", "at line 1")]
    [Arguments("""{"m": 3}""", "'m' is no object of rates")]
    [Arguments("""{"m": {"inptu": 3}}""", "a rate 'inptu'; the rates are input, output, cache_read, cache_write")]
    [Arguments("""{"m": {"input": "3"}}""", "no number of US dollars")]
    [Arguments("""{"m": {"input": -1}}""", "no number of US dollars")]
    public void A_file_that_is_no_table_is_refused_with_what_is_wrong(string text, string problem)
    {
        using var file = new PriceFile(text);
        Should.Throw<ConfigurationException>(() => PriceTable.Load(file.Path)).Message.ShouldContain(problem);
    }

    [Test]
    public void A_file_that_others_may_write_is_refused_with_what_to_type()
    {
        using var file = new PriceFile("{}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        Should.Throw<ConfigurationException>(() => PriceTable.Load(file.Path)).Message.ShouldEndWith($"chmod go-w {file.Path}");
    }

    [Test]
    public void A_file_that_is_not_there_is_refused_and_none_is_no_table()
    {
        Should.Throw<ConfigurationException>(() => PriceTable.Load("/nonexistent/prices.json")).Message.ShouldContain("COLIBRI_PRICES_FILE=/nonexistent/prices.json");
        PriceTable.Load(null).Count.ShouldBe(0);
    }

    private sealed class PriceFile : IDisposable
    {
        public PriceFile(string text, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
        {
            File.WriteAllBytes(Path, Encoding.UTF8.GetBytes(text));
            File.SetUnixFileMode(Path, mode);
        }

        public string Path { get; } = System.IO.Path.Combine(Directory.CreateTempSubdirectory("colibri-prices-").FullName, "prices.json");

        public void Dispose() => Directory.Delete(System.IO.Path.GetDirectoryName(Path)!, recursive: true);
    }
}

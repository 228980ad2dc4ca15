using System.Globalization;
using System.Numerics;
using System.Text;
using Colibri.Jsonl;

namespace Colibri.UnitTests.Jsonl;

public sealed class DecimalUsdTests
{
    [Test]
    [Arguments("0", 0)]
    [Arguments("-0.0e9", 0)]
    [Arguments("1", 100_000_000)]
    [Arguments("0.0009695999999999999", 96_960)]
    [Arguments("0.0014352000000000002", 143_520)]
    [Arguments("1.2e-7", 12)]
    [Arguments("1.2E-7", 12)]
    [Arguments("12e+1", 12_000_000_000)]
    [Arguments("0.000000005", 1)]
    [Arguments("0.0000000049999999999999999999999", 0)]
    [Arguments("0.00000001499999999999999999999", 1)]
    [Arguments("5e-9", 1)]
    [Arguments("4.9e-9", 0)]
    [Arguments("1e-2147483648999", 0)]
    [Arguments("0e999999999999", 0)]
    [Arguments("92233720368.54775807", long.MaxValue)]
    [Arguments("92233720368.547758074", long.MaxValue)]
    public void Dollars_are_read_exactly_and_rounded_half_up(string text, long expected)
    {
        DecimalUsd.TryParseMicrocents(Encoding.UTF8.GetBytes(text), out var microcents).ShouldBeTrue();
        microcents.ShouldBe(expected);
    }

    [Test]
    [Arguments("92233720368.54775808")]
    [Arguments("92233720368.547758075")]
    [Arguments("1e11")]
    [Arguments("1e999999999999")]
    [Arguments("-0.01")]
    [Arguments("-1e-30")]
    [Arguments("")]
    [Arguments("-")]
    [Arguments(".5")]
    [Arguments("01")]
    [Arguments("1.")]
    [Arguments("1e")]
    [Arguments("1 ")]
    [Arguments("NaN")]
    [Arguments("\"1\"")]
    public void What_is_negative_out_of_range_or_no_number_is_refused(string text) =>
        DecimalUsd.TryParseMicrocents(Encoding.UTF8.GetBytes(text), out _).ShouldBeFalse();

    [Test]
    public void Random_amounts_agree_with_big_integers()
    {
        var random = new Random(20261122);
        for (var i = 0; i < 20_000; i++)
        {
            var whole = random.NextInt64(0, i % 2 == 0 ? 100 : 200_000_000_000).ToString(CultureInfo.InvariantCulture);
            var fraction = string.Concat(Enumerable.Range(0, random.Next(0, 22)).Select(_ => (char)('0' + random.Next(10))));
            var exponent = random.Next(-12, 6);
            var text = whole + (fraction.Length > 0 ? "." + fraction : "") + (exponent != 0 ? "e" + exponent.ToString(CultureInfo.InvariantCulture) : "");

            var digits = BigInteger.Parse(whole + fraction, CultureInfo.InvariantCulture);
            var power = exponent + 8 - fraction.Length;
            var expected = power >= 0
                ? digits * BigInteger.Pow(10, power)
                : ((2 * digits) + BigInteger.Pow(10, -power)) / (2 * BigInteger.Pow(10, -power));

            DecimalUsd.TryParseMicrocents(Encoding.UTF8.GetBytes(text), out var microcents).ShouldBe(expected <= long.MaxValue, text);
            if (expected <= long.MaxValue) ((BigInteger)microcents).ShouldBe(expected, text);
        }
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Colibri.Core.Sessions;

namespace Colibri.UnitTests.Sessions;

public sealed partial class ToolResultTextTests
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    [Test]
    public void A_text_of_just_the_limit_stays_as_it_is()
    {
        var text = new string('x', 4_000);

        ToolResultText.Shorten(text, 4_000).ShouldBeSameAs(text);
        ToolResultText.Shorten(text + "x", 4_000).ShouldNotBe(text + "x");
    }

    [Test]
    [Arguments("x")]
    [Arguments("é")]
    [Arguments("€")]
    [Arguments("😀")]
    [Arguments("a€😀é")]
    public void A_longer_one_keeps_head_and_tail_says_what_is_missing_and_splits_no_character(string unit)
    {
        for (var shift = 0; shift < 8; shift++)
        {
            var text = new string('-', shift) + string.Concat(Enumerable.Repeat(unit, 5_000));
            var whole = Strict.GetBytes(text);

            var shortened = ToolResultText.Shorten(text, 4_000);

            Strict.GetByteCount(shortened).ShouldBeInRange(3_980, 4_000);
            var marker = Marker().Match(shortened);
            marker.Success.ShouldBeTrue();
            var (head, tail) = (shortened[..marker.Index], shortened[(marker.Index + marker.Length)..]);
            text.ShouldStartWith(head);
            text.ShouldEndWith(tail);
            int.Parse(marker.Groups[1].Value, CultureInfo.InvariantCulture)
                .ShouldBe(whole.Length - Strict.GetByteCount(head) - Strict.GetByteCount(tail));
            marker.Groups[2].Value.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(whole)));
            Math.Abs(Strict.GetByteCount(head) - Strict.GetByteCount(tail)).ShouldBeLessThan(8);
        }
    }

    [GeneratedRegex(@"\n\[\.\.\. (\d+) bytes left out; SHA-256 of the whole: ([0-9a-f]{64}) \.\.\.\]\n")]
    private static partial Regex Marker();
}

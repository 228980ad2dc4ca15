using System.Security.Cryptography;
using Colibri.Core.Sessions;

namespace Colibri.UnitTests.Sessions;

public sealed class Sha256Tests
{
    [Test]
    public void It_is_the_hash_that_everybody_else_computes()
    {
        var data = new byte[1_000];
        new Random(7).NextBytes(data);
        for (var length = 0; length <= data.Length; length++)
            Sha256.HexOf(data.AsSpan(0, length)).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(data.AsSpan(0, length))));
    }
}

using System.Globalization;

namespace Colibri.Core.Retention;

/// <summary>Bytes for a person, in the units of the configuration file.</summary>
internal static class ByteWords
{
    private static readonly string[] Units = ["KiB", "MiB", "GiB", "TiB"];

    /// <summary><c>1.5 GiB</c>; below 1 KiB as they are.</summary>
    public static string Of(long bytes)
    {
        if (bytes < 1_024)
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
        var (amount, unit) = (bytes / 1_024.0, 0);
        for (; amount >= 1_023.95 && unit < Units.Length - 1; unit++)
            amount /= 1_024;
        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.#} {Units[unit]}");
    }
}

namespace Colibri.Cli.PrefixCheck;

/// <summary>Two consecutive requests beside each other.</summary>
/// <param name="Line">The later one's line, from 1.</param>
/// <param name="BytesBefore">Of the earlier request's prompt.</param>
/// <param name="Bytes">Of the later request's prompt.</param>
/// <param name="SharedBytes">With which both begin: what a cache can serve.</param>
/// <param name="Break">Where they part before the earlier one's end; null where the later one only adds to it.</param>
internal sealed record PrefixComparison(int Line, long BytesBefore, long Bytes, long SharedBytes, PrefixBreak? Break);

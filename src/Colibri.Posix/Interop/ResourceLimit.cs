namespace Colibri.Posix.Interop;

/// <summary><c>struct rlimit</c> (<c>sys/resource.h</c>), two 64-bit numbers on both systems.</summary>
internal record struct ResourceLimit(ulong Soft, ulong Hard);

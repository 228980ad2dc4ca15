using System.Runtime.InteropServices;

namespace Colibri.Posix.Interop;

/// <summary>
/// The runtime's own native library, which is part of every executable. <c>environ</c> is a variable and no function, so it cannot be imported; this
/// is how the runtime itself reads it.
/// </summary>
internal static unsafe partial class RuntimeLibrary
{
    /// <summary>src/native/libs/System.Native/pal_environment.h: <c>environ</c> as it is now, a NULL-terminated array.</summary>
    [LibraryImport("libSystem.Native")]
    internal static partial byte** SystemNative_GetEnviron();
}

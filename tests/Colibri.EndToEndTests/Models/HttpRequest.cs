namespace Colibri.EndToEndTests.Models;

/// <param name="Method">As sent.</param>
/// <param name="Target">The path with its query; of a request to a proxy, the whole address.</param>
/// <param name="Body">Empty where there is none.</param>
internal sealed record HttpRequest(string Method, string Target, ReadOnlyMemory<byte> Body);

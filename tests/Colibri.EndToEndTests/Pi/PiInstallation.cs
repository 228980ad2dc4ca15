using Colibri.EndToEndTests.Agents;
using TUnit.Core.Interfaces;

namespace Colibri.EndToEndTests.Pi;

/// <summary>Real Pi, fetched once into a cache; where it cannot be had, its tests are skipped and say why.</summary>
public sealed class PiInstallation : IAsyncInitializer
{
    private Installation? _found;

    /// <summary>Path of the <c>pi</c> to run. Skips the test when there is none.</summary>
    internal string Executable => _found!.Required("Pi");

    public async Task InitializeAsync() => _found = await Installation.FetchAsync("real_pi");
}

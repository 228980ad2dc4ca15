namespace Colibri.Core.Settings;

/// <summary>One entry of <c>COLIBRI_PROVIDERS</c>.</summary>
/// <param name="Provider">The provider's name as the agents spell it.</param>
/// <param name="Model">The model, or null for the provider's default.</param>
public sealed record ProviderRoute(string Provider, string? Model);

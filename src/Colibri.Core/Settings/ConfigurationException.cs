namespace Colibri.Core.Settings;

/// <summary>A setting that cannot be used. The message is the one line the operator sees: variable, value, what would do.</summary>
public sealed class ConfigurationException(string message) : Exception(message);

namespace Colibri.Core.Settings;

public enum LogFormat
{
    Text,
    Json,
}

namespace Colibri.Core.Configuration;

public enum LogFormat
{
    Text,
    Json,
}

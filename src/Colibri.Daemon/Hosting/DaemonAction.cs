namespace Colibri.Daemon.Hosting;

internal enum DaemonAction
{
    Run,
    CheckConfiguration,
    Version,
    Help,
    Refuse,
}

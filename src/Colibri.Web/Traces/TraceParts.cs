using Colibri.Web.Glass;

namespace Colibri.Web.Traces;

/// <summary>What makes traces and sends them. What fails there is told on standard error, a line for each change.</summary>
internal sealed class TraceParts : IDisposable
{
    public TraceParts(TraceOptions options, DaemonClient daemon, TimeProvider clock)
    {
        Runs = new RunTraces(daemon, Queue, clock);
        Sender = new SpanSender(Queue, options, BuildVersion.Text, message => Console.Error.WriteLine($"colibri-web: {message}"));
    }

    public SpanQueue Queue { get; } = new();

    public RunTraces Runs { get; }

    public SpanSender Sender { get; }

    public void Dispose()
    {
        Runs.Dispose();
        Queue.Dispose();
    }
}

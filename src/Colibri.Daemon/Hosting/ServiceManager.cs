using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// Notifies a service manager by the protocol of sd_notify(3): assignments in a datagram to the socket that <c>NOTIFY_SOCKET</c> names, a path
/// or, after <c>@</c>, a name in Linux' abstract space. If no manager listens, the daemon logs a line and goes on.
/// </summary>
internal sealed class ServiceManager : IDisposable
{
    // systemd reads its socket all the time; one that is full for this long belongs to a manager that hangs.
    private const int SendTimeoutMs = 1_000;

    private readonly UnixDomainSocketEndPoint _endPoint;
    private readonly ILogger _logger;
    private readonly Socket _socket;
    private bool _isSilent;

    private ServiceManager(UnixDomainSocketEndPoint endPoint, TimeSpan? watchdog, ILogger logger)
    {
        (_endPoint, Watchdog, _logger) = (endPoint, watchdog, logger);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = SendTimeoutMs };
    }

    /// <summary>The longest time between two signs of life (<c>WATCHDOG_USEC</c>); null without a watchdog.</summary>
    public TimeSpan? Watchdog { get; }

    /// <summary>The manager of this process; null if there is none, or its socket is of an unknown kind.</summary>
    /// <param name="variable">Looks a variable up.</param>
    /// <param name="pid">This process, which <c>WATCHDOG_PID</c> must name where it is set.</param>
    /// <param name="logger">Logs settings that cannot be used.</param>
    public static ServiceManager? Find(Func<string, string?> variable, int pid, ILogger logger)
    {
        if (variable("NOTIFY_SOCKET") is not { Length: > 0 } address)
            return null;
        try
        {
            var endPoint = address[0] switch
            {
                '/' => new UnixDomainSocketEndPoint(address),
                '@' => new UnixDomainSocketEndPoint('\0' + address[1..]),
                _ => throw new ArgumentException("neither a path nor a name after @"),
            };
            return new ServiceManager(endPoint, WatchdogOf(variable, pid), logger);
        }
        catch (Exception e) when (e is ArgumentException or SocketException or PlatformNotSupportedException)
        {
            logger.ServiceManagerUnreachable(address, e.Message.ReplaceLineEndings(" "));
            return null;
        }
    }

    /// <summary>Sends assignments such as <c>READY=1</c>; waits for at most a second.</summary>
    /// <returns>False where they could not be sent.</returns>
    public bool Tell(params ReadOnlySpan<string> assignments)
    {
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(string.Join('\n', assignments)), SocketFlags.None, _endPoint);
            _isSilent = false;
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (!_isSilent)
                _logger.ServiceManagerUnreachable(_endPoint.ToString(), e.Message);
            _isSilent = true;
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();

    private static TimeSpan? WatchdogOf(Func<string, string?> variable, int pid)
    {
        if (!long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) || microseconds == 0)
            return null;
        var isOurs = variable("WATCHDOG_PID") is not { Length: > 0 } named || named == pid.ToString(CultureInfo.InvariantCulture);
        return isOurs ? TimeSpan.FromMicroseconds(Math.Min(microseconds, TimeSpan.FromDays(1).TotalMicroseconds)) : null;
    }
}

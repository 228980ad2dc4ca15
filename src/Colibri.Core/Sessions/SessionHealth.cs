using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions;

/// <summary>Which sessions cannot be written now, and why.</summary>
internal sealed class SessionHealth(string root, TimeProvider time, ILogger logger)
{
    /// <summary>Sessions remembered; the reasons of further ones are the same, as a rule.</summary>
    public const int MaxRemembered = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Reason, long At)> _refused = new(StringComparer.Ordinal);
    private volatile bool _isSomeRefused;

    /// <summary>One line for a person; null while all that were written last could be.</summary>
    public string? Trouble
    {
        get
        {
            if (!_isSomeRefused)
                return null;
            lock (_gate)
            {
                if (_refused.Count == 0)
                    return null;
                var (session, (reason, _)) = _refused.First();
                return _refused.Count == 1 ? $"session {session} cannot be written: {reason}" : $"{_refused.Count} sessions cannot be written, {session} among them: {reason}";
            }
        }
    }

    public void Refused(string session, string reason)
    {
        lock (_gate)
        {
            if (_refused.Count < MaxRemembered || _refused.ContainsKey(session))
                _refused[session] = (reason, time.GetTimestamp());
            _isSomeRefused = true;
        }
    }

    // Called at every write.
    public void Written(string session)
    {
        if (_isSomeRefused)
            Forget((id, _) => id == session);
    }

    /// <summary>Forgets the sessions that were not refused lately: the directory takes writes, and nobody need write to those again.</summary>
    public void ForgetOlderThan(TimeSpan age) => Forget((_, at) => time.GetElapsedTime(at) > age);

    private void Forget(Func<string, long, bool> isOver)
    {
        lock (_gate)
        {
            foreach (var session in _refused.Where(entry => isOver(entry.Key, entry.Value.At)).Select(entry => entry.Key).ToList())
                _refused.Remove(session);
            if (!_isSomeRefused || _refused.Count > 0)
                return;
            _isSomeRefused = false;
        }
        logger.SessionsRecovered(root);
    }
}

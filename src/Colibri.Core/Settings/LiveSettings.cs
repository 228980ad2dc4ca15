using Colibri.Protocol.Wire;

namespace Colibri.Core.Settings;

/// <summary>
/// The settings that are in force. What may change while the daemon runs (profiles, workspaces, groups, retention, notices) is read from <see cref="Current"/> at each
/// use. <see cref="ColibriSettings.Daemon"/> stays as the daemon was started. Safe from any thread.
/// </summary>
public sealed class LiveSettings
{
    private readonly Func<SettingsReading>? _read;
    private readonly Lock _gate = new();
    private long _asked;
    private long _taken;
    private ColibriSettings _current;

    /// <param name="settings">What holds first.</param>
    /// <param name="read">Reads them again; null where they are fixed.</param>
    public LiveSettings(ColibriSettings settings, Func<SettingsReading>? read = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (_current, _read) = (settings, read);
    }

    /// <summary>Settings that never change: those of the environment alone.</summary>
    public static LiveSettings Of(DaemonConfiguration configuration) => new(new ColibriSettings { Daemon = configuration });

    /// <summary>What is in force now. Hold on to it for as long as one decision takes.</summary>
    public ColibriSettings Current => Volatile.Read(ref _current);

    /// <summary>Something of <see cref="Current"/> has changed. Raised on the thread that read, without a lock; it must not block.</summary>
    public event Action? Changed;

    /// <summary>Reads the settings again. Blocks on the file.</summary>
    /// <returns>What differs from what was in force, and which of it needs a restart: that is told again at each call until the restart.</returns>
    /// <exception cref="ConfigurationException">There is a mistake; what was in force stays so.</exception>
    public SettingsChange Reload()
    {
        if (_read is null)
            return new SettingsChange(Current.File, [], []);
        // The later reading is the newer one, whichever of two ends first.
        var ticket = Interlocked.Increment(ref _asked);
        var read = _read().Settings;
        ColibriSettings before;
        bool isNewest;
        lock (_gate)
        {
            before = _current;
            isNewest = ticket > _taken;
            if (isNewest)
            {
                _taken = ticket;
                Volatile.Write(ref _current, read with { Daemon = before.Daemon });
            }
        }
        if (!isNewest)
            return new SettingsChange(before.File, [], []);
        var changed = EffectiveSettings.Changes(before, read);
        IReadOnlyList<string> waiting = [.. EffectiveSettings.DaemonChanges(before.Daemon, read.Daemon).Select(change => change.Key)];
        if (changed.Count > waiting.Count)
            Changed?.Invoke();
        return new SettingsChange(read.File, changed, waiting);
    }
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>A native daemon of its own in a folder of its own, with nothing of the machine's environment but PATH.</summary>
internal sealed class ColibriDaemon : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly Dictionary<string, string?> _environment;
    private readonly BoundedText _log = new(16 * 1024);
    private IReadOnlyList<string> _arguments = [];
    private IReadOnlyList<string> _through = [];
    private Process? _process;

    private ColibriDaemon(IEnumerable<(string Name, string? Value)> environment)
    {
        Marker = $"TEST_TREE_MARKER={Guid.NewGuid():N}";
        _environment = new Dictionary<string, string?>
        {
            ["HOME"] = _directory.Folder("home"),
            ["TMPDIR"] = _directory.Folder("tmp"),
            ["COLIBRI_DAEMON_SOCKET"] = SocketPath,
            ["COLIBRI_DB_PATH"] = DatabasePath,
            ["COLIBRI_SESSIONS_DIR"] = SessionsPath,
            ["COLIBRI_SCHEDULER_INTERVAL"] = "200ms",
            ["COLIBRI_LOG_LEVEL"] = "debug",
            [Marker.Split('=')[0]] = Marker.Split('=')[1],
        };
        foreach (var (name, value) in environment)
            _environment[name] = value;
    }

    public string DirectoryPath => _directory.Path;
    public string SocketPath => _directory.File("d.sock");
    public string DatabasePath => _directory.File("board.sqlite");
    public string SessionsPath => _directory.File("sessions");
    public IReadOnlyDictionary<string, string?> Environment => _environment;

    /// <summary>
    /// The environment entry by which the daemon and every process under it is found. Not a COLIBRI_ one: the daemon's own
    /// settings are none of its agents' business.
    /// </summary>
    public string Marker { get; }

    public int Pid => (_process ?? throw new InvalidOperationException("the daemon is not running")).Id;

    /// <summary>The last 16 Ki characters of its log.</summary>
    public string Log => _log.ToString();

    public static Task<ColibriDaemon> StartAsync(params (string Name, string? Value)[] environment) => StartWithAsync([], environment);

    public static Task<ColibriDaemon> StartWithAsync(IReadOnlyList<string> arguments, params (string Name, string? Value)[] environment) =>
        new ColibriDaemon(environment) { _arguments = arguments }.StartedAsync();

    /// <summary>Starts it by a command that executes what follows its own arguments, and stays its process.</summary>
    public static Task<ColibriDaemon> StartThroughAsync(IReadOnlyList<string> command, params (string Name, string? Value)[] environment) =>
        new ColibriDaemon(environment) { _through = command }.StartedAsync();

    /// <summary>A folder and an environment to start daemons in, none of them started yet.</summary>
    public static ColibriDaemon Prepared(params (string Name, string? Value)[] environment) => new(environment);

    /// <summary>Starts a prepared one; where that fails nothing is left of it.</summary>
    public async Task<ColibriDaemon> StartedAsync()
    {
        try
        {
            await StartAgainAsync();
            return this;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts on the same folder, after <see cref="KillAsync"/> or <see cref="TerminateAsync"/>.</summary>
    public async Task StartAgainAsync()
    {
        Launched();
        await Eventually.HoldsAsync(AnswersPingAsync, () => $"the daemon answers ping; its log:\n{Log}");
    }

    /// <summary>Starts on the same folder and returns when the log has the text once more, or the daemon has ended.</summary>
    public Task StartUntilLoggedAsync(string text)
    {
        var before = Occurrences(text);
        return StartUntilAsync(() => Occurrences(text) > before, $"the log says '{text}'");
    }

    /// <summary>Starts on the same folder and returns when the condition holds, or the daemon has ended.</summary>
    public Task StartUntilAsync(Func<bool> condition, string what)
    {
        Launched();
        return Eventually.HoldsAsync(() => condition() || _process!.HasExited, () => $"{what}; the log:\n{Log}");
    }

    private int Occurrences(string text) => Log.Split(text).Length - 1;

    private void Launched()
    {
        _process?.Dispose();
        string[] command = [.. _through, Repository.Daemon, .. _arguments];
        var process = Process.Start(Launch.Prepare(command[0], command[1..], _environment))!;
        _process = process;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, line) => _log.AppendLine(line.Data);
        process.ErrorDataReceived += (_, line) => _log.AppendLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Runs a daemon in this folder and environment that is expected to end by itself.</summary>
    public Task<Finished> RunToEndAsync(IEnumerable<string> arguments, params (string Name, string? Value)[] changes)
    {
        var environment = new Dictionary<string, string?>(_environment);
        foreach (var (name, value) in changes)
            environment[name] = value;
        return Launch.ToEndAsync(Repository.Daemon, arguments, environment);
    }

    public Task<Finished> CliAsync(params string[] arguments) =>
        Launch.ToEndAsync(Repository.Cli, arguments, new Dictionary<string, string?>
        {
            ["HOME"] = _environment["HOME"],
            ["COLIBRI_DAEMON_SOCKET"] = SocketPath,
        });

    public Task<WireClient> ConnectAsync() => WireClient.ConnectAsync(SocketPath);

    /// <summary>One request on a connection of its own.</summary>
    public async Task<JsonElement> DataAsync(object request)
    {
        await using var client = await ConnectAsync();
        return await client.DataAsync(request);
    }

    /// <summary>Changes what the next start finds in its environment.</summary>
    public void Change(string name, string? value) => _environment[name] = value;

    public async Task KillAsync()
    {
        _process!.Kill();
        await ExitAsync();
    }

    /// <summary>Asks it to end and gives its exit code.</summary>
    public async Task<int> TerminateAsync(string signal = "TERM")
    {
        await Launch.SignalAsync(Pid, signal);
        return await ExitAsync();
    }

    /// <summary>Living processes under this daemon, itself not counted.</summary>
    public IReadOnlyList<LivingProcess> Descendants() =>
        [.. ProcTable.WithEnvironment(Marker).Where(found => _process is null || found.Pid != _process.Id)];

    public async ValueTask DisposeAsync()
    {
        if (Log.Length > 0)
            TestContext.Current?.Output.WriteLine($"daemon log, its end:\n{Log[^Math.Min(Log.Length, 6000)..]}");
        // Looked for first: an agent on its standard input ends with the daemon.
        var cgroups = Descendants().Select(left => ProcTable.AgentCgroupOf(left.Pid)).OfType<string>().Distinct().ToList();
        _process?.Kill();
        foreach (var left in Descendants())
            await Launch.SignalAsync(left.Pid, "KILL");
        if (_process is not null)
            await ExitAsync();
        // The daemon would have removed them, had it not been killed.
        foreach (var cgroup in cgroups)
            await Eventually.HoldsAsync(() => ProcTable.TryRemoveCgroup(cgroup), () => $"{cgroup} is removed");
        _process?.Dispose();
        _directory.Dispose();
    }

    public async Task<int> ExitAsync()
    {
        try
        {
            await _process!.WaitForExitAsync(TestContext.Current!.Execution.CancellationToken).WaitAsync(Eventually.Deadline);
            return _process.ExitCode;
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the daemon did not end within {Eventually.Deadline.TotalSeconds:0} s; its log:\n{Log}");
        }
    }

    private async Task<bool> AnswersPingAsync()
    {
        if (_process!.HasExited)
        {
            // Its output ends with the last process that holds it, which need not be the daemon.
            await _process.WaitForExitAsync().WaitAsync(Eventually.Deadline);
            throw new InvalidOperationException($"the daemon ended with {_process.ExitCode} before it answered; its log:\n{Log}");
        }
        try
        {
            await using var client = await ConnectAsync();
            return (await client.AskAsync(new { cmd = "ping" })).Ok;
        }
        catch (Exception notYet) when (notYet is SocketException or EndOfStreamException)
        {
            return false;
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Mcp;

/// <summary>The native server on two pipes, spoken to line by line, without an SDK between.</summary>
internal sealed class McpPipe : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _answers = new();
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private int _lastId;

    private McpPipe(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Pid => _process.Id;

    public static async Task<McpPipe> StartAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var start = Launch.Prepare(Repository.Binary("colibri-mcp"), arguments, environment);
        var pipe = new McpPipe(Process.Start(start) ?? throw new InvalidOperationException("colibri-mcp did not start"));
        await pipe.AskAsync("initialize", new { protocolVersion = "2025-11-25", capabilities = new { }, clientInfo = new { name = "test", version = "1" } });
        return pipe;
    }

    /// <summary>Sends a request; what is returned ends with its answer.</summary>
    public async Task<JsonElement> AskAsync(string method, object parameters)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = _answers.GetOrAdd(id, _ => new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously));
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new { jsonrpc = "2.0", id, method, @params = parameters }));
        await _process.StandardInput.FlushAsync();
        return (await Eventually.WithinAsync(answer.Task, $"the answer of {method}", TimeSpan.FromSeconds(60))).Member("result");
    }

    public Task<JsonElement> CallAsync(string tool, object arguments) => AskAsync("tools/call", new { name = tool, arguments });

    /// <summary>Closes its input.</summary>
    public void End() => _process.StandardInput.Close();

    /// <summary>The exit code, once it has ended by itself and all it has said was read.</summary>
    public async Task<int> ExitAsync()
    {
        await Task.WhenAll(_process.WaitForExitAsync(), _reading).WaitAsync(Eventually.Deadline);
        (await _errors).ShouldBe("");
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await Task.WhenAll(_reading, _errors);
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var message = JsonElement.Parse(line);
            if (message.TryGetProperty("id", out var id) && !message.TryGetProperty("method", out _))
                _answers.GetOrAdd(id.GetInt32(), _ => new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult(message);
        }
        // No answer comes any more; a test that ends the server in the middle of a call does not wait for it.
        foreach (var answer in _answers.Values)
            answer.TrySetCanceled();
    }
}

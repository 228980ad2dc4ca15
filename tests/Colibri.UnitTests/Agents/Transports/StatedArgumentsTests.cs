using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>Agents over ACP with arguments of the operator's own: their access decides what they ask for all the same.</summary>
[NotInParallel]
public sealed class StatedArgumentsTests : IAsyncDisposable
{
    // It asks for one permission, and keeps the answer.
    private const string Server = """
        #!/bin/sh
        [ "$1" = serve ] || exit 4
        while read -r line; do
            id=${line#*\"id\":}; id=${id%%,*}
            result='{}'
            case $line in
                *'"method":"initialize"'*) result='{"protocolVersion":1}' ;;
                *'"method":"session/new"'*) result='{"sessionId":"own"}' ;;
                *'"method":"session/prompt"'*)
                    echo '{"jsonrpc":"2.0","id":7,"method":"session/request_permission","params":{"sessionId":"own","toolCall":{"toolCallId":"c","title":"do it","kind":"@NATURE@","locations":[{"path":"@PATH@"}]},"options":[{"optionId":"yes","name":"Allow","kind":"allow_once"},{"optionId":"no","name":"Reject","kind":"reject_once"}]}}'
                    read -r answer
                    echo "$answer" > '@ANSWER@'
                    result='{"stopReason":"end_turn"}' ;;
            esac
            echo '{"jsonrpc":"2.0","id":'"$id"',"result":'"$result"'}'
        done
        """;

    private readonly SupervisorFixture _fixture = new();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    [Arguments("opencode", Access.Edit, false, "edit", "work/a.txt", "yes")]
    [Arguments("opencode", Access.Edit, false, "edit", "elsewhere/a.txt", "no")]
    [Arguments("opencode", Access.Read, false, "edit", "work/a.txt", "no")]
    [Arguments("opencode", Access.Full, false, "execute", "work/a.txt", "yes")]
    [Arguments("acp", Access.Full, false, "execute", "work/a.txt", "yes")]
    [Arguments("acp", Access.Full, false, "edit", "elsewhere/a.txt", "yes")]
    [Arguments("acp", Access.Edit, true, "edit", "work/a.txt", "yes")]
    [Arguments("acp", Access.Edit, true, "edit", "elsewhere/a.txt", "no")]
    public async Task The_access_answers(string kind, Access access, bool isDefault, string nature, string path, string option)
    {
        var answer = _fixture.PathOf("answer");

        await SupervisorFixture.End(await StartAsync(kind, access, isDefault, nature, path));

        (await File.ReadAllTextAsync(answer, TestContext.Current!.Execution.CancellationToken)).ShouldContain($"\"optionId\":\"{option}\"");
    }

    [Test]
    public async Task A_command_of_an_agent_whose_access_nobody_has_stated_waits_for_a_person()
    {
        var agent = await StartAsync("acp", Access.Edit, isDefault: true, "execute", "work/a.txt");

        Shell.Until(() => agent.ToPane().Question is not null, "it asks");
    }

    private async Task<SupervisedAgent> StartAsync(string kind, Access access, bool isDefault, string nature, string path)
    {
        var (program, work) = (_fixture.PathOf("agent"), _fixture.PathOf("work"));
        Directory.CreateDirectory(work);
        Directory.CreateDirectory(_fixture.PathOf("elsewhere"));
        await File.WriteAllTextAsync(program, Server.Replace("@NATURE@", nature, StringComparison.Ordinal).Replace("@PATH@", _fixture.PathOf(path), StringComparison.Ordinal)
            .Replace("@ANSWER@", _fixture.PathOf("answer"), StringComparison.Ordinal), TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var task = await _fixture.Create("mend it", maxAttempts: 1);
        return await _fixture.Supervisor.SpawnAsync(new SpawnRequest
        {
            Binary = program,
            Runtime = kind,
            Transport = Transport.Acp,
            Arguments = ["serve"],
            Access = access,
            IsAccessDefault = isDefault,
            TaskId = task.Id,
            Cwd = work,
        });
    }
}

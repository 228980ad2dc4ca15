using Colibri.Core.Agents.Kinds;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Launch;

/// <summary>Whether a task's prompt finds a way into the agents that the configuration starts.</summary>
public static class PromptRoom
{
    /// <summary>
    /// Why none of the configured agents can take the task, and what to do; null where one can. Null also where no agent is configured: the task
    /// then waits for a claimant, who reads it from the board.
    /// </summary>
    public static string? Refusal(DaemonConfiguration configuration, string title, string description)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(description);
        // A UTF-16 unit is at most three bytes, and a prompt as an argument may get a blank and two newlines.
        if (title.Length + description.Length + 3 <= AgentCommandLine.MaxPromptBytes / 3)
            return null;
        var prompt = AgentLaunch.PromptOf(title, description);
        string? problem = null;
        if (configuration.AgentBinary is { } binary)
        {
            problem = LineOf(binary, configuration.AgentArguments, prompt).Problem;
            if (problem is null)
                return null;
        }
        // The resident agent takes tasks if it reads prompts on its standard input.
        return configuration.Autospawn && LineOf(configuration.AutospawnBinary, configuration.AutospawnArguments, prompt).IsRpc ? null : problem;
    }

    /// <summary>Refuses a request whose prompt finds no way into its agent, before its task is claimed.</summary>
    /// <param name="request">The request.</param>
    /// <param name="task">Gives the request's task by its id; asked only where its length matters.</param>
    /// <exception cref="SpawnRefusedException">It is too long; the message says what to do.</exception>
    public static async Task RefuseTooLongAsync(SpawnRequest request, Func<string, Task<BoardTask?>> task)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(task);
        var profile = request.Kind;
        if (profile.PromptByInput is not null)
            return;
        var queued = request is { Prompt: null, TaskId: { } id } ? await task(id).ConfigureAwait(false) : null;
        if (AgentLaunch.CommandLineOf(profile, request, null, AgentLaunch.PromptOf(request, queued)).Problem is { } problem)
            throw new SpawnRefusedException(SpawnRefusal.PromptTooLong, problem);
    }

    private static AgentCommandLine LineOf(string binary, IReadOnlyList<string> arguments, string prompt) =>
        AgentCommandLine.Build(AgentProfiles.For(null, binary), arguments, rpc: null, provider: null, model: null, prompt);
}

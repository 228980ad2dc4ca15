using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Sessions;
using Colibri.Daemon.Server;
using Colibri.Protocol;

namespace Colibri.Daemon.Commands;

/// <summary>Maps the core's refusals to error codes of the wire.</summary>
internal static class CommandFailures
{
    /// <summary>The error reply; null for an unexpected exception.</summary>
    public static Reply? Explain(Exception failure) => failure switch
    {
        BoardUnavailableException => Reply.Error(ErrorCodes.Unavailable, failure.Message),
        SessionUnavailableException => Reply.Error(ErrorCodes.Unavailable, failure.Message),
        SpawnRefusedException refused => Reply.Error(CodeOf(refused.Refusal), failure.Message),
        _ => null,
    };

    private static string CodeOf(SpawnRefusal refusal) => refusal switch
    {
        SpawnRefusal.TaskNotFound => ErrorCodes.NotFound,
        SpawnRefusal.TaskConflict => ErrorCodes.Conflict,
        SpawnRefusal.ProgramUnusable or SpawnRefusal.JailWrong or SpawnRefusal.PromptTooLong or SpawnRefusal.AccessImpossible => ErrorCodes.BadRequest,
        _ => ErrorCodes.Unavailable,
    };
}

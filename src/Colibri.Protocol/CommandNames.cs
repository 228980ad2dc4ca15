namespace Colibri.Protocol;

/// <summary>Every command of the wire protocol.</summary>
public static class CommandNames
{
    public const string Ping = "ping";
    public const string Status = "status";
    public const string Snapshot = "snapshot";
    public const string SetCostMode = "set-cost-mode";
    public const string Cost = "cost";
    public const string Budget = "budget";
    public const string CreateTask = "create-task";
    public const string IntakeTask = "intake-task";
    public const string GetTask = "get-task";
    public const string ListTasks = "list-tasks";
    public const string ClaimTask = "claim-task";
    public const string TransitionTask = "transition-task";
    public const string CancelTask = "cancel-task";
    public const string SpawnAgent = "spawn-agent";
    public const string SpawnLocal = "spawn-local";
    public const string StopAgent = "stop-agent";
    public const string PromptAgent = "prompt";
    public const string AnswerAgent = "answer";
    public const string ListAgents = "list-agents";
    public const string RegisterAgent = "register-agent";
    public const string Heartbeat = "heartbeat";
    public const string ListSessions = "list-sessions";
    public const string GetSession = "get-session";
    public const string CompactSession = "compact-session";
    public const string AppendSession = "append-session";
    public const string GetPrompt = "get-prompt";
    public const string RegisterSkill = "register-skill";
    public const string ListSkills = "list-skills";
    public const string RegisterTenant = "register-tenant";
    public const string ListTenants = "list-tenants";
    public const string DeleteTenant = "delete-tenant";
    public const string Subscribe = "subscribe";
}

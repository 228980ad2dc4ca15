using Microsoft.Extensions.Logging;

namespace Colibri.Core.Logging;

/// <summary>
/// Every line the daemon logs. Long because it is one catalogue. Ids are stable: 1xx daemon, 2xx socket, 3xx board, 4xx agents, 5xx sessions, 6xx cost.
/// </summary>
public static partial class Log
{
    [LoggerMessage(100, LogLevel.Information, "colibri-daemon {Version} started, pid {Pid}, socket {Socket}, database {Database}")]
    public static partial void DaemonStarted(this ILogger logger, string version, int pid, string socket, string database);

    [LoggerMessage(101, LogLevel.Information, "stopping on {Signal}: {Running} agents to end")]
    public static partial void DaemonStopping(this ILogger logger, string signal, int running);

    [LoggerMessage(102, LogLevel.Information, "stopped after {UptimeMs} ms")]
    public static partial void DaemonStopped(this ILogger logger, long uptimeMs);

    [LoggerMessage(103, LogLevel.Warning, "{Variable} is set, but has no effect on this system")]
    public static partial void SettingWithoutEffect(this ILogger logger, string variable);

    [LoggerMessage(104, LogLevel.Information, "nothing to reload: there is no configuration file, and the environment is read at start")]
    public static partial void NothingToReload(this ILogger logger);

    [LoggerMessage(105, LogLevel.Error, "{Part} failed and goes on")]
    public static partial void UnexpectedFailure(this ILogger logger, string part, Exception exception);

    [LoggerMessage(106, LogLevel.Warning, "{Count} log lines were dropped: standard error was not read")]
    public static partial void LogLinesDropped(this ILogger logger, long count);

    [LoggerMessage(107, LogLevel.Warning, "the service manager cannot be told anything at {Address}: {Reason}")]
    public static partial void ServiceManagerUnreachable(this ILogger logger, string address, string reason);

    [LoggerMessage(108, LogLevel.Error, "{Part} did not answer within {DeadlineMs} ms: the service manager is not told that the daemon is alive")]
    public static partial void NotAlive(this ILogger logger, string part, long deadlineMs);

    [LoggerMessage(109, LogLevel.Warning, "the working directory is gone: agents that name none are started in {Directory}")]
    public static partial void WorkingDirectoryGone(this ILogger logger, string directory);

    [LoggerMessage(110, LogLevel.Error, "the pidfile {Path} could not be written: {Reason}; the daemon runs without it")]
    public static partial void PidFileNotWritten(this ILogger logger, string path, string reason);

    [LoggerMessage(111, LogLevel.Warning, "the host's clock was set by {Seconds:0} s: back-offs of queued tasks moved with it: {Tasks}")]
    public static partial void ClockSet(this ILogger logger, double seconds, int tasks);

    [LoggerMessage(112, LogLevel.Error, "a background task failed and nobody looked at it")]
    public static partial void UnobservedFailure(this ILogger logger, Exception exception);

    [LoggerMessage(113, LogLevel.Warning, "a second signal, {Signal}: killing {Running} agents, and waiting for the disk no longer")]
    public static partial void StopForced(this ILogger logger, string signal, int running);

    [LoggerMessage(114, LogLevel.Error, "stopped by a second signal; {Runs} runs are left open: the next start ends what is left of them and queues their tasks again")]
    public static partial void StopLeft(this ILogger logger, int runs);

    [LoggerMessage(115, LogLevel.Error, "the {What} {Path} is {State}: {Reason}")]
    public static partial void FileTrouble(this ILogger logger, string what, string path, string state, string reason);

    [LoggerMessage(116, LogLevel.Information, "the {What} {Path} is as it should be again")]
    public static partial void FileInOrder(this ILogger logger, string what, string path);

    [LoggerMessage(117, LogLevel.Information, "event {Event} is not logged any more since {SilentS} s; {Count} lines like this one were left out: {Message}")]
    public static partial void RepetitionOver(this ILogger logger, int @event, long silentS, long count, string message);

    [LoggerMessage(118, LogLevel.Warning, "the pidfile {Path} was gone and is written anew")]
    public static partial void PidFileMadeAnew(this ILogger logger, string path);

    [LoggerMessage(120, LogLevel.Information, "{File} is read again, changes: {Changes}")]
    public static partial void SettingsReloaded(this ILogger logger, string file, int changes);

    [LoggerMessage(121, LogLevel.Error, "the settings are not read again, and those in force stay: {Reason}")]
    public static partial void ReloadRefused(this ILogger logger, string reason);

    [LoggerMessage(122, LogLevel.Warning, "{Variable} is no setting{Hint}")]
    public static partial void UnknownVariable(this ILogger logger, string variable, string hint);

    [LoggerMessage(123, LogLevel.Warning, "changed, and in force only after a restart: {Keys}")]
    public static partial void RestartNeeded(this ILogger logger, string keys);

    [LoggerMessage(200, LogLevel.Debug, "client {Connection} connected, uid {Uid}, pid {Pid}")]
    public static partial void ClientConnected(this ILogger logger, long connection, uint uid, int? pid);

    [LoggerMessage(201, LogLevel.Warning, "client refused: uid {Uid} is neither root, nor the daemon's user, nor in the socket's group")]
    public static partial void ClientDenied(this ILogger logger, uint uid);

    [LoggerMessage(202, LogLevel.Warning, "client refused: {Limit} connections are open")]
    public static partial void ClientsFull(this ILogger logger, int limit);

    [LoggerMessage(203, LogLevel.Error, "request {Command} failed inside the daemon")]
    public static partial void RequestFailed(this ILogger logger, string command, Exception exception);

    [LoggerMessage(204, LogLevel.Warning, "accepting clients failed: {Reason}; trying again in {DelayMs} ms")]
    public static partial void AcceptFailed(this ILogger logger, string reason, int delayMs);

    [LoggerMessage(205, LogLevel.Information, "removed the dead socket {Socket} of an earlier daemon")]
    public static partial void StaleSocketRemoved(this ILogger logger, string socket);

    [LoggerMessage(206, LogLevel.Warning, "closed {Count} connections that had been idle for {Seconds} s or more, the longest first, to serve new clients: {Limit} connections are open")]
    public static partial void ClientsEvicted(this ILogger logger, int count, int seconds, int limit);

    [LoggerMessage(207, LogLevel.Warning, "the socket {Socket} was {State} and is made anew; connections that were open stay")]
    public static partial void SocketMadeAnew(this ILogger logger, string socket, string state);

    [LoggerMessage(208, LogLevel.Warning, "the socket {Socket} was made anew and could not be given group {Gid} again: {Hint}")]
    public static partial void SocketGroupLost(this ILogger logger, string socket, uint gid, string hint);

    [LoggerMessage(300, LogLevel.Debug, "task {TaskId} is {Status}: {Title}")]
    public static partial void TaskChanged(this ILogger logger, string taskId, string status, string title);

    [LoggerMessage(301, LogLevel.Warning, "task {TaskId} waits: no configured agent offers any of {Capabilities}")]
    public static partial void TaskUnmatched(this ILogger logger, string taskId, string capabilities);

    [LoggerMessage(302, LogLevel.Warning, "task {TaskId} goes back to the queue: its claimant {AgentId} is lost")]
    public static partial void ClaimReleased(this ILogger logger, string taskId, string? agentId);

    [LoggerMessage(303, LogLevel.Warning, "the board cannot be written now: {Reason}")]
    public static partial void BoardUnavailable(this ILogger logger, string reason);

    [LoggerMessage(304, LogLevel.Information, "the board {Path} can be written again")]
    public static partial void BoardRecovered(this ILogger logger, string path);

    [LoggerMessage(305, LogLevel.Error, "a subscriber of the board failed on task {TaskId}")]
    public static partial void BoardSubscriberFailed(this ILogger logger, string taskId, Exception error);

    [LoggerMessage(306, LogLevel.Error, "task {TaskId} cannot be looked at or started, and is tried again every {IntervalS} s; the others go on")]
    public static partial void TaskLeftOut(this ILogger logger, string taskId, long intervalS, Exception error);

    [LoggerMessage(310, LogLevel.Warning, "the log of the board {Path} was removed or replaced: what it held is in the database, and it is made anew")]
    public static partial void BoardLogMadeAnew(this ILogger logger, string path);

    [LoggerMessage(311, LogLevel.Warning, "the board's lock file {Path} was removed or replaced and is made anew; nobody else had the board meanwhile")]
    public static partial void BoardLockMadeAnew(this ILogger logger, string path);

    [LoggerMessage(400, LogLevel.Information, "agent {AgentId} ({Agent}) started, pid {Pid}: {CommandLine}")]
    public static partial void AgentStarted(this ILogger logger, string agentId, string agent, int pid, string commandLine);

    [LoggerMessage(401, LogLevel.Warning, "agent {AgentId} ({Agent}) did not start: {Reason}")]
    public static partial void AgentNotStarted(this ILogger logger, string agentId, string agent, string reason);

    [LoggerMessage(402, LogLevel.Information, "agent {AgentId} ({Agent}) stopped: {Exit}, verdict {Verdict}")]
    public static partial void AgentStopped(this ILogger logger, string agentId, string agent, string exit, string verdict);

    [LoggerMessage(403, LogLevel.Information, "agent {AgentId} asked to stop, {GraceMs} ms of grace")]
    public static partial void AgentStopping(this ILogger logger, string agentId, long graceMs);

    [LoggerMessage(404, LogLevel.Warning, "agent {AgentId}: {Count} processes of its tree outlived their grace and were killed")]
    public static partial void TreeKilled(this ILogger logger, string agentId, int count);

    [LoggerMessage(405, LogLevel.Error, "agent {AgentId}: processes of its tree survive SIGKILL; its run stays open until they are gone")]
    public static partial void TreeSurvives(this ILogger logger, string agentId);

    [LoggerMessage(406, LogLevel.Warning, "agent {AgentId} of an earlier daemon was still running, pid {Pid}: ending it")]
    public static partial void LeftoverFound(this ILogger logger, string agentId, int? pid);

    [LoggerMessage(407, LogLevel.Information, "run of agent {AgentId} was interrupted by the daemon's end; task {TaskId} is queued again")]
    public static partial void RunInterrupted(this ILogger logger, string agentId, string? taskId);

    [LoggerMessage(408, LogLevel.Error, "agent {AgentId} of an earlier daemon survives, pid {Pid}; its task is queued again once it is gone")]
    public static partial void LeftoverSurvives(this ILogger logger, string agentId, int? pid);

    [LoggerMessage(409, LogLevel.Warning, "agent {AgentId}: its output stayed open after its tree was gone and is given up")]
    public static partial void OutputGivenUp(this ILogger logger, string agentId);

    [LoggerMessage(410, LogLevel.Warning, "the configured agent {Program} is not there to be started; queued tasks wait for it")]
    public static partial void AgentProgramMissing(this ILogger logger, string program);

    [LoggerMessage(411, LogLevel.Information, "agent {AgentId} takes task {TaskId}")]
    public static partial void TaskAssigned(this ILogger logger, string agentId, string taskId);

    [LoggerMessage(412, LogLevel.Information, "agent {AgentId} is through with task {TaskId}: {Verdict}")]
    public static partial void TaskLeft(this ILogger logger, string agentId, string taskId, string? verdict);

    [LoggerMessage(437, LogLevel.Error, "agent {AgentId} had lost task {TaskId} to another claim when its run ended: nothing of the task was changed")]
    public static partial void RunLost(this ILogger logger, string agentId, string taskId);

    [LoggerMessage(413, LogLevel.Warning, "agent {AgentId} {Deadline}")]
    public static partial void DeadlineMissed(this ILogger logger, string agentId, string deadline);

    [LoggerMessage(414, LogLevel.Warning, "provider {Route} is left out: {State} {Until:yyyy-MM-ddTHH:mm:ssZ}")]
    public static partial void RouteFailed(this ILogger logger, string route, string state, DateTimeOffset? until);

    [LoggerMessage(415, LogLevel.Information, "provider {Route} answers again")]
    public static partial void RouteBack(this ILogger logger, string route);

    [LoggerMessage(416, LogLevel.Information, "provider file {Path} read again: {Count} variables")]
    public static partial void ProviderFileRead(this ILogger logger, string path, int count);

    [LoggerMessage(417, LogLevel.Error, "{Problem}; the keys read before stay in use")]
    public static partial void ProviderFileUnusable(this ILogger logger, string problem);

    [LoggerMessage(418, LogLevel.Warning, "queued tasks wait: no provider of COLIBRI_PROVIDERS is ready ({States})")]
    public static partial void NoRoute(this ILogger logger, string states);

    [LoggerMessage(419, LogLevel.Warning, "autospawn of {Program} waits: no provider key is there, nor --local among its arguments")]
    public static partial void AutospawnWaits(this ILogger logger, string program);

    [LoggerMessage(420, LogLevel.Error, "{Program} has crashed {Crashes} times in a row and is not started before {Until:yyyy-MM-ddTHH:mm:ssZ}; its tasks wait: {Error}")]
    public static partial void BreakerTripped(this ILogger logger, string program, int crashes, DateTimeOffset until, string error);

    [LoggerMessage(421, LogLevel.Information, "{Program} runs again")]
    public static partial void BreakerClosed(this ILogger logger, string program);

    [LoggerMessage(422, LogLevel.Error, "jail {Jail} could not be removed: {Reason}; look with: jls -j {Jail}")]
    public static partial void JailNotRemoved(this ILogger logger, string jail, string reason);

    [LoggerMessage(423, LogLevel.Warning, "what was left for agent {AgentId} in {Directory} could not be removed, and may hold keys: {Reason}")]
    public static partial void StageNotRemoved(this ILogger logger, string agentId, string directory, string reason);

    [LoggerMessage(424, LogLevel.Warning, "that provider {Route} rests could not be recorded: {Reason}; it is tried again, and a restart until then asks the provider at once")]
    public static partial void RestNotRecorded(this ILogger logger, string route, string reason);

    [LoggerMessage(430, LogLevel.Information, "each agent gets a cgroup of its own below {Parent}")]
    public static partial void CgroupsFound(this ILogger logger, string parent);

    [LoggerMessage(431, LogLevel.Information, "agents get no cgroup of their own: {Reason}; sweeps of the process table end their trees")]
    public static partial void CgroupsMissing(this ILogger logger, string reason);

    [LoggerMessage(432, LogLevel.Warning, "agent {AgentId} gets no cgroup of its own: {Reason}; sweeps of the process table end its tree")]
    public static partial void CgroupRefused(this ILogger logger, string agentId, string reason);

    [LoggerMessage(433, LogLevel.Warning, "the cgroup {Path} cannot be removed; the next start tries again")]
    public static partial void CgroupStays(this ILogger logger, string path);

    [LoggerMessage(434, LogLevel.Warning, "pid {Pid}, on record for agent {AgentId} of an earlier daemon, is another process by now (start time {StartTime}, on record {Recorded}): left alone")]
    public static partial void StrangerLeftAlone(this ILogger logger, int pid, string agentId, long startTime, long recorded);

    [LoggerMessage(435, LogLevel.Error, "agent {AgentId} of an earlier daemon, pid {Pid}, may still run and cannot be looked for: there is no /proc (mount linprocfs and restart, or cancel its task); its task is held until nobody has that pid")]
    public static partial void LeftoverUnprovable(this ILogger logger, string agentId, int? pid);

    [LoggerMessage(436, LogLevel.Error, "runs of an earlier daemon cannot be closed now ({Runs} are open): {Reason}; their tasks are held, and it is tried again at least every 30 s")]
    public static partial void LeftoversWait(this ILogger logger, int runs, string reason);

    [LoggerMessage(440, LogLevel.Information, "agent {AgentId} has exited with {Count} processes of its own still at work ({First}): they are ended")]
    public static partial void ProcessesLeft(this ILogger logger, string agentId, int count, string first);

    [LoggerMessage(441, LogLevel.Warning, "in a run of agent {AgentId} {Calls} tool calls were refused: {Tools}")]
    public static partial void ToolsDenied(this ILogger logger, string agentId, long calls, string tools);

    [LoggerMessage(545, LogLevel.Information, "what agent {AgentId} has used is not known: {Reason}")]
    public static partial void UsageUntold(this ILogger logger, string agentId, string reason);

    [LoggerMessage(455, LogLevel.Warning, "{Provider} {State}: queued tasks wait for it until {Until}: {Error}")]
    public static partial void ProviderHeld(this ILogger logger, string provider, string state, string until, string error);

    [LoggerMessage(456, LogLevel.Information, "{Provider} is held no longer: queued tasks start again, spread over some seconds")]
    public static partial void ProviderHoldEnded(this ILogger logger, string provider);

    [LoggerMessage(457, LogLevel.Warning, "{Provider} {State}, also when it was tried again: queued tasks wait for it until {Until}, after {Failures} failures in a row: {Error}")]
    public static partial void ProviderHeldLonger(this ILogger logger, string provider, string state, string until, int failures, string error);

    [LoggerMessage(458, LogLevel.Information, "{What} is paused by hand: no queued task of it starts{Reason}")]
    public static partial void QueuePaused(this ILogger logger, string what, string reason);

    [LoggerMessage(459, LogLevel.Information, "{What} is resumed by hand")]
    public static partial void QueueResumed(this ILogger logger, string what);

    [LoggerMessage(460, LogLevel.Error, "task {TaskId} is held: {Interruptions} of its runs in a row were interrupted because the daemon was killed; see whether it ends the daemon, then type: colibri release-task {TaskId}")]
    public static partial void TaskPoison(this ILogger logger, string taskId, int interruptions);

    [LoggerMessage(461, LogLevel.Warning, "it could not be recorded that the daemon stops in order: {Reason}; what a kill cuts short from here on counts as an interruption")]
    public static partial void StopNotRecorded(this ILogger logger, string reason);

    [LoggerMessage(462, LogLevel.Warning, "{Program} cannot be started now: {Reason}; its tasks wait, and the scheduler tries again in {WaitMs} ms, then after twice as long each time, at most {LongestS} s")]
    public static partial void StartsRest(this ILogger logger, string program, string reason, long waitMs, long longestS);

    [LoggerMessage(463, LogLevel.Information, "{Program} can be started again")]
    public static partial void StartsGoOn(this ILogger logger, string program);

    [LoggerMessage(465, LogLevel.Warning, "the configured agent {Program} cannot be executed: {Reason}; queued tasks wait for it")]
    public static partial void AgentProgramUnusable(this ILogger logger, string program, string reason);

    [LoggerMessage(466, LogLevel.Warning, "agent {AgentId} was moved into its cgroup only after its start, and so are others: {Reason}; what leaves its parent before that is outside")]
    public static partial void TrampolineFailed(this ILogger logger, string agentId, string reason);

    [LoggerMessage(470, LogLevel.Warning, "work of task {Number} was parked under {Reference} in {Repository}: git log {Reference} shows it")]
    public static partial void WorkParked(this ILogger logger, long number, string reference, string repository);

    [LoggerMessage(471, LogLevel.Information, "the worktree {Path} was cleared up: {Reason}")]
    public static partial void WorktreeSwept(this ILogger logger, string path, string reason);

    [LoggerMessage(472, LogLevel.Warning, "{What} could not be cleared up: {Reason}; it is tried again at the next start")]
    public static partial void WorkspaceNotCleared(this ILogger logger, string what, string reason);

    [LoggerMessage(473, LogLevel.Warning, "a landing on {Base} in {Repository} that was cut short is finished")]
    public static partial void LandingFinished(this ILogger logger, string @base, string repository);

    [LoggerMessage(474, LogLevel.Error, "the landing of {Journal} was cut short and cannot be finished: {Reason}")]
    public static partial void LandingUnfinished(this ILogger logger, string journal, string reason);

    [LoggerMessage(480, LogLevel.Error, "agent {AgentId}: whether processes of it are left in its jail cannot be told ({Reason}); its task waits until it can")]
    public static partial void TreeHidden(this ILogger logger, string agentId, string reason);

    [LoggerMessage(475, LogLevel.Warning, "the check of task {Number} left {Count} processes, and they were ended: {First}")]
    public static partial void CheckLeft(this ILogger logger, long number, int count, string first);

    [LoggerMessage(476, LogLevel.Warning, "the tree of task {Number} was not as a run should leave it: {What}; its work is kept")]
    public static partial void TreeLeftOdd(this ILogger logger, long number, string what);

    [LoggerMessage(477, LogLevel.Error, "the work of task {Number} is in its tree and not on its branch: {Reason}")]
    public static partial void ChangeNotCollected(this ILogger logger, long number, string reason);

    [LoggerMessage(478, LogLevel.Warning, "the tree of task {Number} stays as it is: {Reason}")]
    public static partial void TreeNotLeft(this ILogger logger, long number, string reason);

    [LoggerMessage(479, LogLevel.Information, "the change of task {Number}, {Branch}, has landed on {Base} as {Commit}")]
    public static partial void ChangeLanded(this ILogger logger, long number, string branch, string @base, string commit);

    [LoggerMessage(482, LogLevel.Warning, "the change of task {Number} is in conflict with {Base}: {Files}")]
    public static partial void ChangeInConflict(this ILogger logger, long number, string @base, string files);

    [LoggerMessage(483, LogLevel.Warning, "the change of task {Number} waits in the inbox: {Reason}")]
    public static partial void ChangeNotLanded(this ILogger logger, long number, string reason);

    [LoggerMessage(484, LogLevel.Warning, "workspace {Workspace} cannot be worked in: {Reason}; its tasks wait")]
    public static partial void WorkspaceUnusable(this ILogger logger, string workspace, string reason);

    [LoggerMessage(485, LogLevel.Information, "workspace {Workspace} can be worked in again")]
    public static partial void WorkspaceUsable(this ILogger logger, string workspace);

    [LoggerMessage(486, LogLevel.Warning, "work that an earlier daemon's run left in the tree of task {Number} is on its branch {Branch} now")]
    public static partial void WorkRecovered(this ILogger logger, long number, string branch);

    [LoggerMessage(487, LogLevel.Information, "the change of task {Number} is on {Base} already: it has landed")]
    public static partial void LandingRecovered(this ILogger logger, long number, string @base);

    [LoggerMessage(488, LogLevel.Information, "limits of memory are kept by a look each second: {Reason}")]
    public static partial void MemoryIsLookedAt(this ILogger logger, string reason);

    [LoggerMessage(500, LogLevel.Warning, "session {SessionId}: cut off a torn last line of {Bytes} bytes")]
    public static partial void SessionTailCut(this ILogger logger, string sessionId, long bytes);

    [LoggerMessage(501, LogLevel.Error, "session {SessionId}: an entry could not be written: {Reason}")]
    public static partial void SessionWriteFailed(this ILogger logger, string sessionId, string reason);

    [LoggerMessage(502, LogLevel.Information, "session {SessionId}: {Entries} entries compacted, generation {Generation} is live: {BytesBefore} bytes before, {BytesAfter} after")]
    public static partial void SessionCompacted(this ILogger logger, string sessionId, int entries, int generation, long bytesBefore, long bytesAfter);

    [LoggerMessage(503, LogLevel.Warning, "session {SessionId}: the generation before the live one cannot be made durable and read-only: {Reason}")]
    public static partial void SessionNotSealed(this ILogger logger, string sessionId, string reason);

    [LoggerMessage(504, LogLevel.Warning, "session {SessionId} is over budget: {Bytes} bytes in mode max, which allows {MaxBytes}; its newest entry cannot be compacted")]
    public static partial void SessionOverBudget(this ILogger logger, string sessionId, long bytes, long maxBytes);

    [LoggerMessage(505, LogLevel.Information, "headroom at {Socket}: connected")]
    public static partial void HeadroomConnected(this ILogger logger, string socket);

    [LoggerMessage(506, LogLevel.Warning, "headroom at {Socket}: {Reason}; tool results stay as they are until it is back")]
    public static partial void HeadroomLost(this ILogger logger, string socket, string reason);

    [LoggerMessage(507, LogLevel.Warning, "session {SessionId}: {Entries} entries are gone from {Path}, which was {How} while it was written; numbers go on after {Seq}")]
    public static partial void SessionEntriesGone(this ILogger logger, string sessionId, long entries, string path, string how, long seq);

    [LoggerMessage(508, LogLevel.Warning, "session {SessionId}: {Lines} lines in {Directory} are no entries and are left out")]
    public static partial void SessionLinesUnreadable(this ILogger logger, string sessionId, long lines, string directory);

    [LoggerMessage(509, LogLevel.Information, "sessions in {Directory} can be written again")]
    public static partial void SessionsRecovered(this ILogger logger, string directory);

    [LoggerMessage(510, LogLevel.Warning, "the sessions directory {Directory} was {How} while the daemon runs and is used anew; what was in it is not there any more")]
    public static partial void SessionsDirectoryRenewed(this ILogger logger, string directory, string how);

    [LoggerMessage(520, LogLevel.Error, "no agent is started: {Reason}")]
    public static partial void DiskLow(this ILogger logger, string reason);

    [LoggerMessage(521, LogLevel.Information, "agents are started again: the file system of {Path} has {Free} free")]
    public static partial void DiskEnough(this ILogger logger, string path, string free);

    [LoggerMessage(522, LogLevel.Information, "pruned {Tasks} tasks, {Sessions} sessions, {Directories} directories and {Worktrees} worktrees: {Freed} freed")]
    public static partial void Pruned(this ILogger logger, long tasks, long sessions, long directories, long worktrees, string freed);

    [LoggerMessage(523, LogLevel.Warning, "what is due could not be pruned: {Reason}; the next time tries again")]
    public static partial void NotPruned(this ILogger logger, string reason);

    [LoggerMessage(524, LogLevel.Warning, "the disk is low and all that is due is pruned: {Advice}")]
    public static partial void PruneAdvice(this ILogger logger, string advice);

    [LoggerMessage(535, LogLevel.Information, "agent {AgentId}: task {TaskId} goes on in the agent's own session {Session}")]
    public static partial void SessionTakenUp(this ILogger logger, string agentId, string taskId, string session);

    [LoggerMessage(536, LogLevel.Warning, "agent {AgentId}: task {TaskId} did not go on in the agent's own session {Session}: {Reason}")]
    public static partial void SessionNotTakenUp(this ILogger logger, string agentId, string taskId, string session, string reason);

    [LoggerMessage(537, LogLevel.Warning, "agent {AgentId}: task {TaskId} begins anew: {Runs} runs could not take up the agent's own session {Session}")]
    public static partial void SessionGivenUp(this ILogger logger, string agentId, string taskId, string session, int runs);

    [LoggerMessage(538, LogLevel.Information, "agent {AgentId}: task {TaskId} begins anew: the agent's own session {Session} is of another directory, {Directory}")]
    public static partial void SessionElsewhere(this ILogger logger, string agentId, string taskId, string session, string directory);

    [LoggerMessage(539, LogLevel.Warning, "profile {Profile} takes no tasks: {Reason}")]
    public static partial void ProfileRefused(this ILogger logger, string profile, string reason);

    [LoggerMessage(540, LogLevel.Warning, "profile {Profile}: {Reason}; its runs count as full access")]
    public static partial void AccessNotHeld(this ILogger logger, string profile, string reason);

    [LoggerMessage(541, LogLevel.Warning, "{Program} is not the program of {Kind}: {Reason}; tasks wait for the right one")]
    public static partial void ProgramIsAnother(this ILogger logger, string program, string kind, string reason);

    [LoggerMessage(542, LogLevel.Information, "{Program} answers as {Kind} does")]
    public static partial void ProgramIsRight(this ILogger logger, string program, string kind);

    [LoggerMessage(543, LogLevel.Warning, "limits of processes are not kept: {Reason}")]
    public static partial void ProcessesNotLimited(this ILogger logger, string reason);

    [LoggerMessage(546, LogLevel.Warning, "sink {Sink} was not told: {Reason}")]
    public static partial void NoticeNotDelivered(this ILogger logger, string sink, string reason);

    [LoggerMessage(560, LogLevel.Information, "schedule {Schedule} fires: task {Number}")]
    public static partial void ScheduleFired(this ILogger logger, string schedule, long number);

    [LoggerMessage(561, LogLevel.Warning, "schedule {Schedule}: {Count} of its times were missed")]
    public static partial void ScheduleMissed(this ILogger logger, string schedule, long count);

    [LoggerMessage(562, LogLevel.Information, "schedule {Schedule}: {Count} of its times were skipped, because an earlier task of it is not over")]
    public static partial void ScheduleSkipped(this ILogger logger, string schedule, long count);

    [LoggerMessage(563, LogLevel.Warning, "schedule {Schedule} cannot fire: {Reason}")]
    public static partial void ScheduleTroubled(this ILogger logger, string schedule, string reason);

    [LoggerMessage(564, LogLevel.Information, "schedule {Schedule} can fire again")]
    public static partial void ScheduleWell(this ILogger logger, string schedule);

    [LoggerMessage(565, LogLevel.Information, "schedule {Schedule}: its next time is {To}, and no longer {From}, by the clock and the zones as they are now")]
    public static partial void ScheduleMoved(this ILogger logger, string schedule, DateTimeOffset from, DateTimeOffset to);

    [LoggerMessage(600, LogLevel.Information, "cost mode is {Mode}")]
    public static partial void CostModeSet(this ILogger logger, string mode);

    [LoggerMessage(601, LogLevel.Warning, "cost mode escalated from {From} to {To} by session {SessionId}: {Reason}")]
    public static partial void CostModeEscalated(this ILogger logger, string from, string to, string sessionId, string reason);

    [LoggerMessage(602, LogLevel.Information, "cost mode is {Mode}, set with --persist; COLIBRI_COST_MODE says {Configured}")]
    public static partial void CostModePersisted(this ILogger logger, string mode, string configured);

    [LoggerMessage(604, LogLevel.Warning, "agent {AgentId} reports tokens of {Provider}/{Model} and no cost, and COLIBRI_PRICES_FILE has no price for them: no budget sees them")]
    public static partial void UsageUnpriced(this ILogger logger, string agentId, string provider, string model);

    [LoggerMessage(605, LogLevel.Warning, "the day's budget (COLIBRI_BUDGET_DAY_USD) is used up: no agent is started before {LiftsAt}, or until 'colibri budget lift'")]
    public static partial void DayBudgetSpent(this ILogger logger, string liftsAt);

    [LoggerMessage(606, LogLevel.Warning, "agent {AgentId}: task {TaskId} has cost {Spent} of its {Budget} (COLIBRI_BUDGET_TASK_USD); ending it")]
    public static partial void TaskBudgetSpent(this ILogger logger, string agentId, string taskId, string spent, string budget);

    [LoggerMessage(607, LogLevel.Information, "the day's budget is lifted until midnight UTC")]
    public static partial void DayBudgetLifted(this ILogger logger);

    [LoggerMessage(608, LogLevel.Warning, "agent {AgentId}: {Program} with {Provider}/{Model} {When}, and COLIBRI_PRICES_FILE has no price for it: no budget can end it while it runs")]
    public static partial void CostUnseen(this ILogger logger, string agentId, string program, string provider, string model, string when);

    [LoggerMessage(603, LogLevel.Warning, "that the cost mode was set to {Mode} could not be recorded: {Reason}")]
    public static partial void CostModeNotRecorded(this ILogger logger, string mode, string reason);
}

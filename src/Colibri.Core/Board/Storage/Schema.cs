namespace Colibri.Core.Board.Storage;

/// <summary>The text of each step of <see cref="Migrations"/>. Times are milliseconds since the epoch, lists are JSON arrays.</summary>
internal static class Schema
{
    // tasks: every edge writes previous_status, so that one guarded UPDATE can also say which edge it was.
    // An index on status alone carries the row's seq, which is the order of a list; the partial ones stay as small as the queue.
    public const string Tasks = """
        CREATE TABLE tasks (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            key TEXT UNIQUE,
            title TEXT NOT NULL,
            description TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('queued', 'claimed', 'started', 'done', 'failed', 'cancelled')),
            previous_status TEXT,
            capabilities TEXT NOT NULL,
            priority INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            max_attempts INTEGER NOT NULL,
            not_before INTEGER,
            agent_id TEXT,
            session_id TEXT,
            error_code TEXT,
            error_message TEXT,
            verdict TEXT,
            input_tokens INTEGER NOT NULL DEFAULT 0,
            output_tokens INTEGER NOT NULL DEFAULT 0,
            cache_read_tokens INTEGER NOT NULL DEFAULT 0,
            cache_write_tokens INTEGER NOT NULL DEFAULT 0,
            cost_microcents INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER
        ) STRICT;
        CREATE INDEX tasks_by_status ON tasks (status);
        CREATE INDEX tasks_ready ON tasks (priority DESC, seq, not_before) WHERE status = 'queued';
        CREATE INDEX tasks_delayed ON tasks (not_before) WHERE status = 'queued' AND not_before IS NOT NULL;
        CREATE INDEX tasks_held ON tasks (agent_id) WHERE status IN ('claimed', 'started');

        CREATE TABLE agents (
            id TEXT NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('spawned', 'registered')),
            name TEXT NOT NULL,
            runtime TEXT,
            capabilities TEXT NOT NULL,
            host TEXT,
            binary TEXT,
            argv TEXT,
            cwd TEXT,
            session_id TEXT,
            pid INTEGER,
            start_time INTEGER,
            boot_id TEXT,
            created_at INTEGER NOT NULL,
            last_heartbeat_at INTEGER,
            ended_at INTEGER,
            exit_code INTEGER,
            exit_signal INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX agents_registered ON agents (name, ifnull(host, '')) WHERE kind = 'registered';
        CREATE INDEX agents_live ON agents (created_at) WHERE kind = 'spawned' AND ended_at IS NULL;

        CREATE TABLE runs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            task_id TEXT NOT NULL REFERENCES tasks (id),
            attempt INTEGER NOT NULL,
            agent_id TEXT NOT NULL REFERENCES agents (id),
            session_id TEXT NOT NULL,
            binary TEXT NOT NULL,
            argv TEXT NOT NULL,
            pid INTEGER,
            start_time INTEGER,
            boot_id TEXT,
            started_at INTEGER NOT NULL,
            finished_at INTEGER,
            exit_code INTEGER,
            exit_signal INTEGER,
            verdict TEXT,
            error_code TEXT,
            error_message TEXT,
            stderr_tail TEXT,
            input_tokens INTEGER NOT NULL DEFAULT 0,
            output_tokens INTEGER NOT NULL DEFAULT 0,
            cache_read_tokens INTEGER NOT NULL DEFAULT 0,
            cache_write_tokens INTEGER NOT NULL DEFAULT 0,
            cost_microcents INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX runs_by_task ON runs (task_id);
        CREATE INDEX runs_by_agent ON runs (agent_id);
        CREATE UNIQUE INDEX runs_open ON runs (task_id) WHERE finished_at IS NULL;

        CREATE TABLE intake (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            key TEXT UNIQUE,
            title TEXT NOT NULL,
            description TEXT NOT NULL,
            capabilities TEXT NOT NULL,
            priority INTEGER NOT NULL,
            max_attempts INTEGER NOT NULL,
            session_id TEXT,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE settings (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """;

    // usage: one row for each run (or, with an empty run_id, what an agent did besides), UTC day, provider and model, with absolute numbers, so that writing one again changes nothing.
    public const string Ledger = """
        ALTER TABLE tasks ADD COLUMN unpriced_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN unpriced_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN provider TEXT;
        ALTER TABLE runs ADD COLUMN model TEXT;

        CREATE TABLE usage (
            agent_id TEXT NOT NULL REFERENCES agents (id),
            run_id TEXT NOT NULL,
            day TEXT NOT NULL,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            task_id TEXT REFERENCES tasks (id),
            session_id TEXT NOT NULL,
            requests INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cache_read_tokens INTEGER NOT NULL,
            cache_write_tokens INTEGER NOT NULL,
            cost_microcents INTEGER NOT NULL,
            unpriced_tokens INTEGER NOT NULL,
            PRIMARY KEY (agent_id, run_id, day, provider, model)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX usage_by_day ON usage (day);

        INSERT INTO usage
        SELECT agent_id, id, strftime('%Y-%m-%d', ifnull(finished_at, started_at) / 1000, 'unixepoch'), 'unknown', 'unknown', task_id, session_id, 0,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, 0
        FROM runs WHERE input_tokens + output_tokens + cache_read_tokens + cache_write_tokens + cost_microcents > 0;
        """;

    public const string Jails = """
        ALTER TABLE agents ADD COLUMN jail TEXT;
        ALTER TABLE agents ADD COLUMN jail_root TEXT;
        """;

    // A run's claim token: the number of claims that its task has seen, and the daemon's start that made it.
    public const string Claims = """
        ALTER TABLE tasks ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN claim_epoch INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN claim_epoch INTEGER NOT NULL DEFAULT 0;
        """;

    // The refused tool calls of a run, and of a task's latest finished run: a JSON array, null where there was none.
    public const string Verdicts = """
        ALTER TABLE tasks ADD COLUMN denied TEXT;
        ALTER TABLE runs ADD COLUMN denied TEXT;
        """;

    // interruptions: by kills of the daemon, in a row. held: not started until it is released. starts, last_start_at: its runs within an hour of
    // each other; rest_until: before then it is not started again, whatever the run ends with.
    // The two indexes are made anew because a held task must cost the look at the queue nothing.
    public const string Interruptions = """
        ALTER TABLE tasks ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tasks ADD COLUMN last_start_at INTEGER;
        ALTER TABLE tasks ADD COLUMN rest_until INTEGER;
        ALTER TABLE intake ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        DROP INDEX tasks_ready;
        DROP INDEX tasks_delayed;
        CREATE INDEX tasks_ready ON tasks (priority DESC, seq, not_before) WHERE status = 'queued' AND held = 0;
        CREATE INDEX tasks_delayed ON tasks (not_before) WHERE status = 'queued' AND held = 0 AND not_before IS NOT NULL;
        """;

    // How often a failed check has sent a task's work back to an agent.
    public const string Reworks = """
        ALTER TABLE tasks ADD COLUMN reworks INTEGER NOT NULL DEFAULT 0;
        """;

    // The agent's own session of a run in which the model has answered, and the kind of agent that knows it; null where it cannot be taken up.
    public const string Conversations = """
        ALTER TABLE runs ADD COLUMN harness_session TEXT;
        ALTER TABLE runs ADD COLUMN harness_runtime TEXT;
        """;

    // harness_answered: the model has answered in the run, also one whose agent keeps no session. resumed: it began in the session of an earlier
    // run. resume_failed: it could not take that up. told: hashes of the task and of its feedback as it was told them. afresh_after: the claim up to
    // which a task's runs are not gone on with, because an operator wanted it tried anew.
    public const string GoingOn = """
        ALTER TABLE runs ADD COLUMN harness_answered INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN resumed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN resume_failed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN told TEXT;
        ALTER TABLE tasks ADD COLUMN afresh_after INTEGER NOT NULL DEFAULT 0;
        UPDATE runs SET harness_answered = 1 WHERE harness_session IS NOT NULL;
        """;

    // What a run's program said of its version before its agent was started; null where that is not known.
    public const string Versions = """
        ALTER TABLE agents ADD COLUMN version TEXT;
        ALTER TABLE runs ADD COLUMN version TEXT;
        """;

    // The agent's last words in a run, and in a task's latest finished run: null where it said none.
    public const string Results = """
        ALTER TABLE tasks ADD COLUMN result TEXT;
        ALTER TABLE tasks ADD COLUMN result_truncated INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runs ADD COLUMN result TEXT;
        ALTER TABLE runs ADD COLUMN result_truncated INTEGER NOT NULL DEFAULT 0;
        """;

    // How many entries of a run its session lacks.
    public const string SessionLosses = """
        ALTER TABLE runs ADD COLUMN session_entries_dropped INTEGER NOT NULL DEFAULT 0;
        """;

    public const string Registry = """
        CREATE TABLE skills (
            name TEXT NOT NULL PRIMARY KEY,
            description TEXT NOT NULL,
            category TEXT NOT NULL,
            registered_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE tenants (
            tenant_id TEXT NOT NULL PRIMARY KEY,
            jail_root_path TEXT NOT NULL,
            registered_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """;

    // agents: a JSON array of names, empty for every agent. The index is for the deletion of a tenant.
    public const string Skills = """
        ALTER TABLE skills ADD COLUMN path TEXT;
        ALTER TABLE skills ADD COLUMN agents TEXT NOT NULL DEFAULT '[]';
        CREATE INDEX tasks_by_tenant ON tasks (tenant, status) WHERE tenant IS NOT NULL;
        """;

    // waits: how many of the tasks in after_tasks are not done yet, kept by the trigger on every road into and out of done; a waiting task must cost
    // the look at the queue nothing, so the two indexes are made anew. asked_not_before: the time that a client asked for, which no step of the
    // clock moves. check_outcome and change: JSON objects as the wire shows them. An agent's number is what its label is made of.
    public const string Places = """
        ALTER TABLE tasks ADD COLUMN agent TEXT;
        ALTER TABLE tasks ADD COLUMN model TEXT;
        ALTER TABLE tasks ADD COLUMN workspace TEXT;
        ALTER TABLE tasks ADD COLUMN cwd TEXT;
        ALTER TABLE tasks ADD COLUMN after_tasks TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE tasks ADD COLUMN task_group TEXT;
        ALTER TABLE tasks ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE tasks ADD COLUMN check_command TEXT;
        ALTER TABLE tasks ADD COLUMN check_outcome TEXT;
        ALTER TABLE tasks ADD COLUMN run_timeout_ms INTEGER;
        ALTER TABLE tasks ADD COLUMN budget_microcents INTEGER;
        ALTER TABLE tasks ADD COLUMN tenant TEXT;
        ALTER TABLE tasks ADD COLUMN asked_not_before INTEGER;
        ALTER TABLE tasks ADD COLUMN feedback TEXT;
        ALTER TABLE tasks ADD COLUMN change TEXT;
        ALTER TABLE tasks ADD COLUMN change_state TEXT;
        ALTER TABLE tasks ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX tasks_by_agent ON tasks (agent) WHERE agent IS NOT NULL;
        CREATE INDEX tasks_by_workspace ON tasks (workspace) WHERE workspace IS NOT NULL;
        CREATE INDEX tasks_by_group ON tasks (task_group) WHERE task_group IS NOT NULL;
        CREATE INDEX tasks_to_review ON tasks (change_state) WHERE change_state IN ('open', 'conflict');
        DROP INDEX tasks_ready;
        DROP INDEX tasks_delayed;
        CREATE INDEX tasks_ready ON tasks (priority DESC, seq, not_before) WHERE status = 'queued' AND held = 0 AND waits = 0;
        CREATE INDEX tasks_delayed ON tasks (not_before) WHERE status = 'queued' AND held = 0 AND waits = 0 AND not_before IS NOT NULL;

        CREATE TABLE task_after (
            task INTEGER NOT NULL REFERENCES tasks (seq),
            parent INTEGER NOT NULL REFERENCES tasks (seq),
            PRIMARY KEY (task, parent)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX task_after_parent ON task_after (parent);
        CREATE TRIGGER tasks_waits AFTER UPDATE OF status ON tasks WHEN (OLD.status = 'done') <> (NEW.status = 'done')
        BEGIN
            UPDATE tasks SET waits = waits + CASE WHEN NEW.status = 'done' THEN -1 ELSE 1 END
            WHERE seq IN (SELECT task FROM task_after WHERE parent = NEW.seq);
        END;

        ALTER TABLE intake ADD COLUMN agent TEXT;
        ALTER TABLE intake ADD COLUMN model TEXT;
        ALTER TABLE intake ADD COLUMN workspace TEXT;
        ALTER TABLE intake ADD COLUMN cwd TEXT;
        ALTER TABLE intake ADD COLUMN after_tasks TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE intake ADD COLUMN task_group TEXT;
        ALTER TABLE intake ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE intake ADD COLUMN check_command TEXT;
        ALTER TABLE intake ADD COLUMN run_timeout_ms INTEGER;
        ALTER TABLE intake ADD COLUMN budget_microcents INTEGER;
        ALTER TABLE intake ADD COLUMN tenant TEXT;
        ALTER TABLE intake ADD COLUMN asked_not_before INTEGER;

        ALTER TABLE runs ADD COLUMN profile TEXT;
        ALTER TABLE runs ADD COLUMN access TEXT;
        ALTER TABLE runs ADD COLUMN cwd TEXT;
        CREATE INDEX usage_by_task ON usage (task_id);

        ALTER TABLE agents ADD COLUMN number INTEGER;
        UPDATE agents SET number = numbered.number
        FROM (SELECT rowid AS row, row_number() OVER (ORDER BY created_at, rowid) AS number FROM agents) AS numbered WHERE agents.rowid = numbered.row;
        CREATE UNIQUE INDEX agents_by_number ON agents (number) WHERE number IS NOT NULL;
        """;

    // awaited_tokens: those whose cost the agent tells at its end. session_totals: what an agent's own session has used in all, by model.
    public const string SessionTotals = """
        ALTER TABLE usage ADD COLUMN awaited_tokens INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX usage_awaited ON usage (agent_id) WHERE awaited_tokens > 0;

        CREATE TABLE session_totals (
            session TEXT NOT NULL,
            model TEXT NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cache_read_tokens INTEGER NOT NULL,
            cache_write_tokens INTEGER NOT NULL,
            cost_microcents INTEGER NOT NULL,
            told_at INTEGER NOT NULL,
            PRIMARY KEY (session, model)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX session_totals_by_age ON session_totals (told_at);
        """;

    // The profile of the run that used it: the sums by profile outlive the run. Null outside of runs, and of a run without a profile.
    public const string UsageProfiles = """
        ALTER TABLE usage ADD COLUMN profile TEXT;
        UPDATE usage SET profile = (SELECT profile FROM runs WHERE runs.id = usage.run_id) WHERE run_id <> '';
        """;

    // How many runs have ended, and how long they took: unlike the runs themselves they are not deleted with their task. The trigger counts in the statement
    // that closes the run.
    public const string RunTotals = """
        CREATE TABLE run_totals (
            profile TEXT NOT NULL,
            verdict TEXT NOT NULL,
            runs INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            PRIMARY KEY (profile, verdict)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO run_totals
        SELECT ifnull(profile, 'other'), ifnull(verdict, 'unknown'), count(*), sum(max(0, finished_at - started_at))
        FROM runs WHERE finished_at IS NOT NULL GROUP BY ifnull(profile, 'other'), ifnull(verdict, 'unknown');
        CREATE TRIGGER runs_total AFTER UPDATE OF finished_at ON runs WHEN OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL
        BEGIN
            INSERT INTO run_totals (profile, verdict, runs, duration_ms)
            VALUES (ifnull(NEW.profile, 'other'), ifnull(NEW.verdict, 'unknown'), 1, max(0, NEW.finished_at - NEW.started_at))
            ON CONFLICT (profile, verdict) DO UPDATE SET runs = runs + 1, duration_ms = duration_ms + excluded.duration_ms;
        END;
        """;

    // W3C trace context of a run: what its agent was told in TRACEPARENT. Null of a run before these columns.
    public const string Traces = """
        ALTER TABLE runs ADD COLUMN trace_id TEXT;
        ALTER TABLE runs ADD COLUMN span_id TEXT;
        """;
}

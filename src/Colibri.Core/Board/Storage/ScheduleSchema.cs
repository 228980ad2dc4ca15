namespace Colibri.Core.Board.Storage;

/// <summary>The step of <see cref="Migrations"/> that makes the schedules.</summary>
internal static class ScheduleSchema
{
    // schedules: the columns of a task are those of tasks, and say what each firing makes. next_at is null where no time is left; revision grows with each
    // change by a client. schedule_firings: one row for each time that was fired or skipped. Its key is what keeps a time from being fired twice, whoever asks.
    public const string Text = """
        CREATE TABLE schedules (
            name TEXT NOT NULL PRIMARY KEY,
            cron TEXT,
            every_ms INTEGER,
            at TEXT,
            zone TEXT NOT NULL,
            overlap TEXT NOT NULL CHECK (overlap IN ('skip', 'queue', 'replace')),
            missed TEXT NOT NULL CHECK (missed IN ('none', 'once', 'all')),
            missed_max INTEGER NOT NULL,
            jitter_ms INTEGER NOT NULL,
            paused INTEGER NOT NULL DEFAULT 0,
            revision INTEGER NOT NULL DEFAULT 1,
            next_at INTEGER,
            last_at INTEGER,
            last_outcome TEXT CHECK (last_outcome IN ('fired', 'skipped-overlap', 'missed')),
            last_task TEXT,
            last_task_number INTEGER,
            fired INTEGER NOT NULL DEFAULT 0,
            skipped INTEGER NOT NULL DEFAULT 0,
            missed_count INTEGER NOT NULL DEFAULT 0,
            problem TEXT,
            created_at INTEGER NOT NULL,
            key TEXT,
            title TEXT NOT NULL,
            description TEXT NOT NULL,
            capabilities TEXT NOT NULL,
            priority INTEGER NOT NULL,
            max_attempts INTEGER NOT NULL,
            session_id TEXT,
            held INTEGER NOT NULL,
            agent TEXT,
            model TEXT,
            workspace TEXT,
            cwd TEXT,
            after_tasks TEXT NOT NULL,
            on_failed TEXT NOT NULL,
            task_group TEXT,
            tags TEXT NOT NULL,
            check_command TEXT,
            run_timeout_ms INTEGER,
            budget_microcents INTEGER,
            tenant TEXT,
            asked_not_before INTEGER,
            CHECK ((cron IS NOT NULL) + (every_ms IS NOT NULL) + (at IS NOT NULL) = 1)
        ) STRICT;
        CREATE INDEX schedules_due ON schedules (next_at) WHERE paused = 0 AND next_at IS NOT NULL;

        CREATE TABLE schedule_firings (
            schedule TEXT NOT NULL REFERENCES schedules (name),
            at INTEGER NOT NULL,
            fired_at INTEGER NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('fired', 'skipped-overlap')),
            task INTEGER,
            PRIMARY KEY (schedule, at)
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE tasks ADD COLUMN schedule TEXT;
        CREATE INDEX tasks_by_schedule ON tasks (schedule) WHERE schedule IS NOT NULL;
        CREATE INDEX tasks_open_of_schedule ON tasks (schedule) WHERE schedule IS NOT NULL AND status IN ('queued', 'claimed', 'started');
        """;
}

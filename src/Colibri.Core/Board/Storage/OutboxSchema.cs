namespace Colibri.Core.Board.Storage;

/// <summary>
/// The step of <see cref="Migrations"/> that makes the outbox. Triggers write a notice in the very transaction that changes the task, whichever
/// statement changes it, so no road to a state can forget to tell of it.
/// </summary>
internal static class OutboxSchema
{
    /// <summary>The next value of <c>changed</c>.</summary>
    public const string Changed = "(SELECT ifnull(max(changed), 0) + 1 FROM notices)";

    internal const string ReviewEpisode = "'review:' || NEW.seq || ':' || NEW.claim || ':' || NEW.change_state";

    private const string NewIsReview = "(NEW.status IN ('done', 'cancelled') AND NEW.change_state IN ('open', 'conflict'))";

    private const string OldIsReview = "(OLD.status IN ('done', 'cancelled') AND OLD.change_state IN ('open', 'conflict'))";

    // sinks: who is configured to be told, and of what: kinds is ' question failed '. A sink with a period is told of digests alone.
    // notices: changed grows with each insertion and each end, so that a reader finds what is new. detail is a JSON object of a digest.
    // deliveries: what is still to be told to whom; a row leaves when it was told.
    public const string Text = $"""
        CREATE TABLE sinks (
            name TEXT NOT NULL PRIMARY KEY,
            kinds TEXT NOT NULL,
            delivered INTEGER NOT NULL DEFAULT 0,
            last_at INTEGER,
            last_error TEXT,
            digested_until INTEGER
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE notices (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            episode TEXT NOT NULL,
            at INTEGER NOT NULL,
            ended_at INTEGER,
            changed INTEGER NOT NULL,
            task INTEGER,
            agent_id TEXT,
            name TEXT,
            message TEXT NOT NULL,
            detail TEXT
        ) STRICT;
        CREATE UNIQUE INDEX notices_open ON notices (episode) WHERE ended_at IS NULL;
        CREATE INDEX notices_open_of_task ON notices (task) WHERE ended_at IS NULL;
        CREATE INDEX notices_changed ON notices (changed);

        CREATE TABLE deliveries (
            sink TEXT NOT NULL,
            notice INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            dead INTEGER NOT NULL DEFAULT 0,
            error TEXT,
            PRIMARY KEY (sink, notice)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX deliveries_of_notice ON deliveries (notice);

        CREATE TRIGGER notices_to_deliver AFTER INSERT ON notices
        BEGIN
            INSERT INTO deliveries (sink, notice) SELECT name, NEW.id FROM sinks WHERE instr(kinds, ' ' || NEW.kind || ' ') > 0;
        END;

        CREATE TRIGGER tasks_told AFTER UPDATE OF status, held, change_state ON tasks
        WHEN (NEW.status <> OLD.status AND (NEW.status IN ('done', 'failed', 'cancelled') OR OLD.status IN ('done', 'failed', 'cancelled')))
            OR NEW.held <> OLD.held OR NEW.change_state IS NOT OLD.change_state
        BEGIN
            UPDATE notices SET ended_at = NEW.updated_at, changed = {Changed}
            WHERE task = NEW.seq AND ended_at IS NULL AND (
                (kind = 'failed' AND NEW.status <> 'failed') OR (kind = 'held' AND NEW.held = 0)
                OR (kind = 'review' AND (NOT coalesce({NewIsReview}, 0) OR episode <> {ReviewEpisode})));
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'failed', 'failed:' || NEW.seq || ':' || NEW.claim, NEW.updated_at, {Changed}, NEW.seq, NEW.agent_id,
                coalesce(NEW.error_code || ': ' || NEW.error_message, NEW.error_message, NEW.verdict, 'it failed')
            WHERE NEW.status = 'failed' AND OLD.status <> 'failed';
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'review', {ReviewEpisode}, NEW.updated_at, {Changed}, NEW.seq, NEW.agent_id,
                CASE NEW.change_state WHEN 'conflict' THEN 'its change is in conflict with its base: ' ELSE 'its change waits for a review: ' END
                    || ifnull(json_extract(NEW.change, '$.Branch'), '')
            WHERE {NewIsReview} AND NOT (coalesce({OldIsReview}, 0) AND NEW.change_state = OLD.change_state);
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'held', 'held:' || NEW.seq || ':' || NEW.claim, NEW.updated_at, {Changed}, NEW.seq, NULL, coalesce(NEW.error_code || ': ' || NEW.error_message, 'it is held')
            WHERE NEW.held = 1 AND OLD.held = 0 AND NEW.error_code = 'poison';
            INSERT INTO notices (kind, episode, at, ended_at, changed, task, agent_id, message)
            SELECT 'done', 'done:' || NEW.seq || ':' || NEW.claim, NEW.updated_at, NEW.updated_at, {Changed}, NEW.seq, NEW.agent_id, 'it is done'
            WHERE NEW.status = 'done' AND OLD.status <> 'done' AND EXISTS (SELECT 1 FROM sinks WHERE instr(kinds, ' done ') > 0);
        END;

        CREATE TRIGGER tasks_gone AFTER DELETE ON tasks
        BEGIN
            UPDATE notices SET ended_at = at, changed = {Changed} WHERE task = OLD.seq AND ended_at IS NULL;
        END;
        """;
}

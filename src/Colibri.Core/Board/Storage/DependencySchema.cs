namespace Colibri.Core.Board.Storage;

/// <summary>
/// The step of <see cref="Migrations"/> that makes what becomes of a task when one that it comes after is over without being done. Triggers keep the two
/// counts by which that is decided, whichever statement moves the other task.
/// </summary>
internal static class DependencySchema
{
    private const string NewIsReview = "(NEW.status IN ('done', 'cancelled') AND NEW.change_state IN ('open', 'conflict'))";

    private const string OldIsReview = "(OLD.status IN ('done', 'cancelled') AND OLD.change_state IN ('open', 'conflict'))";

    private const string NewIsHeldForParent = "(NEW.status = 'queued' AND NEW.lost > 0 AND NEW.on_failed <> 'run')";

    private const string OldIsHeldForParent = "(OLD.status = 'queued' AND OLD.lost > 0 AND OLD.on_failed <> 'run')";

    // The task that is held was changed long before: the time is that of the task that it comes after.
    private const string ChangedAt = """
        max(NEW.updated_at, ifnull((SELECT max(p.updated_at) FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent WHERE a.task = NEW.seq), 0))
        """;

    // lost: how many of the tasks in after_tasks are over without being done. waits: how many of them are in the way: for on_failed = 'run' those that are not
    // over, else those that are not done. tasks_told is made anew, because a task that is held for another is a notice as well. A task that
    // fails with the other is queued until the next statement of the transaction: that is no notice, and one that was queued again by hand is.
    public static readonly string Text = $"""
        ALTER TABLE tasks ADD COLUMN on_failed TEXT NOT NULL DEFAULT 'hold';
        ALTER TABLE tasks ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE intake ADD COLUMN on_failed TEXT NOT NULL DEFAULT 'hold';
        CREATE INDEX tasks_by_group_and_status ON tasks (task_group, status) WHERE task_group IS NOT NULL;

        DROP TRIGGER tasks_waits;
        CREATE TRIGGER tasks_parents AFTER UPDATE OF status ON tasks
        WHEN NEW.status <> OLD.status AND (NEW.status IN ('done', 'failed', 'cancelled') OR OLD.status IN ('done', 'failed', 'cancelled'))
        BEGIN
            UPDATE tasks SET
                waits = waits + CASE WHEN OLD.status = 'done' OR (on_failed = 'run' AND OLD.status IN ('failed', 'cancelled')) THEN 1 ELSE 0 END
                    - CASE WHEN NEW.status = 'done' OR (on_failed = 'run' AND NEW.status IN ('failed', 'cancelled')) THEN 1 ELSE 0 END,
                lost = lost - CASE WHEN OLD.status IN ('failed', 'cancelled') THEN 1 ELSE 0 END + CASE WHEN NEW.status IN ('failed', 'cancelled') THEN 1 ELSE 0 END
            WHERE seq IN (SELECT task FROM task_after WHERE parent = NEW.seq);
        END;

        DROP TRIGGER tasks_told;
        CREATE TRIGGER tasks_told AFTER UPDATE OF status, held, change_state, lost, on_failed ON tasks
        WHEN (NEW.status <> OLD.status AND (NEW.status IN ('done', 'failed', 'cancelled') OR OLD.status IN ('done', 'failed', 'cancelled')))
            OR NEW.held <> OLD.held OR NEW.change_state IS NOT OLD.change_state OR {NewIsHeldForParent} <> {OldIsHeldForParent}
        BEGIN
            UPDATE notices SET ended_at = max(at, NEW.updated_at), changed = {OutboxSchema.Changed}
            WHERE task = NEW.seq AND ended_at IS NULL AND (
                (kind = 'failed' AND NEW.status <> 'failed')
                OR (kind = 'held' AND CASE WHEN substr(episode, 1, 7) = 'parent:' THEN NOT {NewIsHeldForParent} ELSE NEW.held = 0 END)
                OR (kind = 'review' AND (NOT coalesce({NewIsReview}, 0) OR episode <> {OutboxSchema.ReviewEpisode})));
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'failed', 'failed:' || NEW.seq || ':' || NEW.claim, NEW.updated_at, {OutboxSchema.Changed}, NEW.seq, NEW.agent_id,
                coalesce(NEW.error_code || ': ' || NEW.error_message, NEW.error_message, NEW.verdict, 'it failed')
            WHERE NEW.status = 'failed' AND OLD.status <> 'failed';
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'review', {OutboxSchema.ReviewEpisode}, NEW.updated_at, {OutboxSchema.Changed}, NEW.seq, NEW.agent_id,
                CASE NEW.change_state WHEN 'conflict' THEN 'its change is in conflict with its base: ' ELSE 'its change waits for a review: ' END
                    || ifnull(json_extract(NEW.change, '$.Branch'), '')
            WHERE {NewIsReview} AND NOT (coalesce({OldIsReview}, 0) AND NEW.change_state = OLD.change_state);
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'held', 'held:' || NEW.seq || ':' || NEW.claim, NEW.updated_at, {OutboxSchema.Changed}, NEW.seq, NULL, coalesce(NEW.error_code || ': ' || NEW.error_message, 'it is held')
            WHERE NEW.held = 1 AND OLD.held = 0 AND NEW.error_code = 'poison';
            INSERT OR IGNORE INTO notices (kind, episode, at, changed, task, agent_id, message)
            SELECT 'held', 'parent:' || NEW.seq, {ChangedAt}, {OutboxSchema.Changed}, NEW.seq, NULL, 'parent-failed: ' || {Why("NEW")}
            WHERE {NewIsHeldForParent} AND NOT {OldIsHeldForParent} AND (NEW.on_failed = 'hold' OR OLD.status IN ('done', 'failed', 'cancelled'));
            INSERT INTO notices (kind, episode, at, ended_at, changed, task, agent_id, message)
            SELECT 'done', 'done:' || NEW.seq || ':' || NEW.claim, NEW.updated_at, NEW.updated_at, {OutboxSchema.Changed}, NEW.seq, NEW.agent_id, 'it is done'
            WHERE NEW.status = 'done' AND OLD.status <> 'done' AND EXISTS (SELECT 1 FROM sinks WHERE instr(kinds, ' done ') > 0);
        END;

        UPDATE tasks SET lost = (
            SELECT count(*) FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent WHERE a.task = tasks.seq AND p.status IN ('failed', 'cancelled'))
        WHERE seq IN (SELECT a.task FROM task_after a JOIN tasks p ON p.seq = a.parent WHERE p.status IN ('failed', 'cancelled'));
        """;

    /// <summary>The first task that this one comes after and that is over without being done, why, and how many more there are. At most some 450 characters.</summary>
    /// <param name="task">The name of the row: <c>NEW</c> in a trigger, else <c>tasks</c>.</param>
    public static string Why(string task) => $"""
        (SELECT 'task ' || p.seq || ' (' || substr(p.title, 1, 80) || ') ' || CASE p.status WHEN 'failed' THEN 'has failed' ELSE 'was cancelled' END
            || CASE WHEN p.status = 'failed' THEN coalesce(': ' || substr(coalesce(p.error_code || ': ' || p.error_message, p.error_code, p.verdict), 1, 300), '') ELSE '' END
            FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent WHERE a.task = {task}.seq AND p.status IN ('failed', 'cancelled') ORDER BY a.parent LIMIT 1)
        || CASE WHEN {task}.lost > 1 THEN '; and ' || ({task}.lost - 1) || ' more' ELSE '' END
        """;
}

/*
 * boardpeer fill   BOARD COUNT        puts COUNT queued tasks onto a board, all in few transactions; prints their ids
 * boardpeer create BOARD COUNT BATCH  inserts COUNT tasks, BATCH a transaction, and prints tasks a second
 * boardpeer cycle  BOARD COUNT BATCH  takes COUNT of the queued tasks through claim, start and done, BATCH statements a transaction
 *
 * BOARD is a database that colibri-daemon has made, so that its tables and indices are those of the daemon. Durability is the same
 * by other means: WAL and synchronous=FULL, where the daemon syncs the log itself. Group commit without a daemon around it: the fastest that SQLite allows.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COLUMNS \
    "id, title, description, status, capabilities, priority, attempts, max_attempts, not_before, agent_id, session_id, error_code, error_message, verdict, " \
    "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, unpriced_tokens, created_at, updated_at, started_at, finished_at, " \
    "previous_status, seq"

#define NO_OPEN_RUN " AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.task_id = tasks.id AND r.finished_at IS NULL)"

static sqlite3 *board;

static void check(int result, const char *what)
{
    if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE)
        return;
    fprintf(stderr, "boardpeer: %s: %s\n", what, sqlite3_errmsg(board));
    exit(1);
}

static void run(const char *sql) { check(sqlite3_exec(board, sql, NULL, NULL, NULL), sql); }

static sqlite3_stmt *prepared(const char *sql)
{
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(board, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), sql);
    return statement;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every column of the row is read, as the daemon does to answer with the task. */
static void step_and_read(sqlite3_stmt *statement)
{
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            (void)sqlite3_column_text(statement, i);
    check(result, "step");
    if (sqlite3_changes(board) != 1) {
        fprintf(stderr, "boardpeer: a statement changed %d rows instead of one\n", sqlite3_changes(board));
        exit(1);
    }
    sqlite3_reset(statement);
}

static void insert_tasks(long count, long batch, int print)
{
    sqlite3_stmt *insert = prepared(
        "INSERT INTO tasks (id, key, title, description, status, capabilities, priority, max_attempts, session_id, created_at, updated_at) "
        "VALUES (?1, NULL, ?2, '', 'queued', '[]', 0, 3, NULL, ?3, ?3) RETURNING " COLUMNS);
    static unsigned long serial;
    unsigned long stamp = (unsigned long)time(NULL);
    for (long i = 0; i < count; i++) {
        if (i % batch == 0)
            run("BEGIN IMMEDIATE");
        char id[40];
        snprintf(id, sizeof id, "%08lx-%04lx-7000-8000-%012lx", stamp & 0xffffffffUL, (serial >> 32) & 0xffffUL, serial);
        serial++;
        sqlite3_bind_text(insert, 1, id, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(insert, 2, "mend the roof", -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, (sqlite3_int64)stamp * 1000);
        step_and_read(insert);
        if (print)
            puts(id);
        if (i % batch == batch - 1 || i == count - 1)
            run("COMMIT");
    }
    sqlite3_finalize(insert);
}

static void cycle_tasks(long count, long batch)
{
    char (*ids)[40] = calloc((size_t)count, sizeof *ids);
    sqlite3_stmt *pick = prepared("SELECT id FROM tasks WHERE status = 'queued' ORDER BY seq LIMIT ?1");
    sqlite3_bind_int64(pick, 1, count);
    long found = 0;
    while (found < count && sqlite3_step(pick) == SQLITE_ROW)
        snprintf(ids[found++], sizeof *ids, "%s", (const char *)sqlite3_column_text(pick, 0));
    sqlite3_finalize(pick);
    if (found < count) {
        fprintf(stderr, "boardpeer: only %ld tasks are queued\n", found);
        exit(1);
    }
    sqlite3_stmt *edges[] = {
        prepared("UPDATE tasks SET previous_status = status, status = 'claimed', updated_at = ?2, agent_id = 'peer', attempts = attempts + 1, not_before = NULL "
                 "WHERE id = ?1 AND status IN ('queued') RETURNING " COLUMNS),
        prepared("UPDATE tasks SET previous_status = status, status = 'started', updated_at = ?2, started_at = ?2 "
                 "WHERE id = ?1 AND status IN ('claimed')" NO_OPEN_RUN " RETURNING " COLUMNS),
        prepared("UPDATE tasks SET previous_status = status, status = 'done', updated_at = ?2, finished_at = ?2, error_code = NULL, error_message = NULL "
                 "WHERE id = ?1 AND status IN ('started')" NO_OPEN_RUN " RETURNING " COLUMNS),
    };
    double start = seconds_now();
    for (long first = 0; first < count; first += batch) {
        long last = first + batch < count ? first + batch : count;
        for (int edge = 0; edge < 3; edge++) {
            run("BEGIN IMMEDIATE");
            for (long i = first; i < last; i++) {
                sqlite3_bind_text(edges[edge], 1, ids[i], -1, SQLITE_STATIC);
                sqlite3_bind_int64(edges[edge], 2, (sqlite3_int64)time(NULL) * 1000);
                step_and_read(edges[edge]);
            }
            run("COMMIT");
        }
    }
    printf("rate %.1f\n", (double)count / (seconds_now() - start));
    for (int edge = 0; edge < 3; edge++)
        sqlite3_finalize(edges[edge]);
    free(ids);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: boardpeer fill|create|cycle BOARD COUNT [BATCH]\n");
        return 2;
    }
    long count = atol(argv[3]), batch = argc > 4 ? atol(argv[4]) : 1;
    check(sqlite3_open(argv[2], &board), argv[2]);
    run("PRAGMA journal_mode = WAL; PRAGMA temp_store = MEMORY;");
    run(strcmp(argv[1], "fill") == 0 ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
    if (strcmp(argv[1], "fill") == 0) {
        insert_tasks(count, 10000, 1);
    } else if (strcmp(argv[1], "create") == 0) {
        double start = seconds_now();
        insert_tasks(count, batch, 0);
        printf("rate %.1f\n", (double)count / (seconds_now() - start));
    } else {
        cycle_tasks(count, batch);
    }
    check(sqlite3_close(board), "close");
    return 0;
}

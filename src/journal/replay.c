/* SPDX-License-Identifier: MIT */
/* journal/replay: hands back what earlier runs did. */
#include "journal/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "journal/journal.h"
#include "sqlite/handle.h"

#define RUN_COLUMNS                                                                         \
	"id, mark, boot_id, version, command, started_ms, ended_ms, outcome, exit_status, " \
	"message,"                                                                          \
	" database, repeats, continues"

/* Move a vector's items into the arena. */
static void *into_arena(struct ath_arena *arena, void *items, size_t len, size_t size)
{
	void *copy = ath_arena_new(arena, len, size);

	if (len)
		memcpy(copy, items, len * size);
	free(items);
	return copy;
}

static struct ath_replay_run read_run(struct ath_stmt *stmt, struct ath_arena *arena)
{
	return (struct ath_replay_run){
		.id = ath_stmt_int(stmt, 0),
		.mark = ath_arena_strdup(arena, ath_stmt_text(stmt, 1)),
		.boot_id = ath_arena_strdup(arena, ath_stmt_text(stmt, 2)),
		.version = ath_arena_strdup(arena, ath_stmt_text(stmt, 3)),
		.command = ath_arena_strdup(arena, ath_stmt_text(stmt, 4)),
		.started_ms = ath_stmt_int(stmt, 5),
		.ended_ms = ath_stmt_int(stmt, 6),
		.outcome = ath_arena_strdup(arena, ath_stmt_text(stmt, 7)),
		.exit_status = (int)ath_stmt_int(stmt, 8),
		.message = ath_arena_strdup(arena, ath_stmt_text(stmt, 9)),
		.database = ath_arena_strdup(arena, ath_stmt_text(stmt, 10)),
		.repeats = ath_stmt_int(stmt, 11),
		.continues = ath_stmt_int(stmt, 12),
	};
}

static bool load_runs(struct ath_stmt *stmt, struct ath_arena *arena, struct ath_replay_runs *out,
		      struct ath_err *err)
{
	ATH_VEC(struct ath_replay_run) runs = { 0 };

	while (ath_stmt_next(stmt, err))
		*ath_vec_push(&runs) = read_run(stmt, arena);
	ath_stmt_free(stmt);
	out->len = runs.len;
	out->items = into_arena(arena, runs.items, runs.len, sizeof(*runs.items));
	return err->code == ATH_ERR_OK;
}

bool ath_replay_load_runs(struct ath_journal *journal, bool with_nothing, size_t limit,
			  struct ath_arena *arena, struct ath_replay_runs *out, struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(ath_journal_db(journal),
					       "SELECT " RUN_COLUMNS " FROM run"
					       " WHERE ?1 OR outcome IS NOT 'nothing'"
					       " ORDER BY id DESC LIMIT ?2",
					       err);

	if (!stmt)
		return false;
	ath_stmt_bind_int(stmt, 1, with_nothing);
	ath_stmt_bind_int(stmt, 2, (int64_t)limit);
	return load_runs(stmt, arena, out, err);
}

bool ath_replay_load_open(struct ath_journal *journal, struct ath_arena *arena,
			  struct ath_replay_runs *out, struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(ath_journal_db(journal),
					       "SELECT " RUN_COLUMNS " FROM run"
					       " WHERE ended_ms IS NULL ORDER BY id",
					       err);

	return stmt && load_runs(stmt, arena, out, err);
}

bool ath_replay_load_transitions(struct ath_journal *journal, int64_t run, struct ath_arena *arena,
				 struct ath_replay_transitions *out, struct ath_err *err)
{
	ATH_VEC(struct ath_replay_transition) rows = { 0 };
	struct ath_stmt *stmt = ath_db_prepare(ath_journal_db(journal),
					       "SELECT step, attempt, state, reason, at_ms"
					       " FROM transition WHERE run = ?1 ORDER BY id",
					       err);

	if (!stmt)
		return false;
	ath_stmt_bind_int(stmt, 1, run);
	while (ath_stmt_next(stmt, err)) {
		*ath_vec_push(&rows) = (struct ath_replay_transition){
			.step = ath_arena_strdup(arena, ath_stmt_text(stmt, 0)),
			.attempt = (unsigned)ath_stmt_int(stmt, 1),
			.state = ath_arena_strdup(arena, ath_stmt_text(stmt, 2)),
			.reason = ath_arena_strdup(arena, ath_stmt_text(stmt, 3)),
			.at_ms = ath_stmt_int(stmt, 4),
		};
	}
	ath_stmt_free(stmt);
	out->len = rows.len;
	out->items = into_arena(arena, rows.items, rows.len, sizeof(*rows.items));
	return err->code == ATH_ERR_OK;
}

bool ath_replay_load_successes(struct ath_journal *journal, struct ath_arena *arena,
			       struct ath_replay_successes *out, struct ath_err *err)
{
	ATH_VEC(struct ath_replay_satisfied) rows = { 0 };
	struct ath_stmt *stmt =
		ath_db_prepare(ath_journal_db(journal),
			       "SELECT step, fingerprint FROM satisfied ORDER BY step", err);

	if (!stmt)
		return false;
	while (ath_stmt_next(stmt, err)) {
		*ath_vec_push(&rows) = (struct ath_replay_satisfied){
			.step = ath_arena_strdup(arena, ath_stmt_text(stmt, 0)),
			.fingerprint = ath_arena_strdup(arena, ath_stmt_text(stmt, 1)),
		};
	}
	ath_stmt_free(stmt);
	out->len = rows.len;
	out->items = into_arena(arena, rows.items, rows.len, sizeof(*rows.items));
	return err->code == ATH_ERR_OK;
}

static int compare_step(const void *name, const void *row)
{
	return strcmp(name, ((const struct ath_replay_satisfied *)row)->step);
}

const char *ath_replay_find_success(const struct ath_replay_successes *successes, const char *step)
{
	const struct ath_replay_satisfied *row =
		successes->len ? bsearch(step, successes->items, successes->len,
					 sizeof(*successes->items), compare_step)
			       : NULL;

	return row ? row->fingerprint : NULL;
}

bool ath_replay_load_notes(struct ath_journal *journal, const char *name, struct ath_arena *arena,
			   struct ath_replay_notes *out, struct ath_err *err)
{
	ATH_VEC(struct ath_replay_note) rows = { 0 };
	struct ath_stmt *stmt = ath_db_prepare(
		ath_journal_db(journal),
		"SELECT run.id, mark, boot_id, version, command, started_ms, ended_ms, outcome,"
		" exit_status, message, database, repeats, continues, pairs, at_ms"
		" FROM note JOIN run ON run.id = note.run WHERE name = ?1 ORDER BY note.id DESC",
		err);

	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, name);
	while (ath_stmt_next(stmt, err)) {
		*ath_vec_push(&rows) = (struct ath_replay_note){
			.run = read_run(stmt, arena),
			.pairs = ath_arena_strdup(arena, ath_stmt_text(stmt, 13)),
			.at_ms = ath_stmt_int(stmt, 14),
		};
	}
	ath_stmt_free(stmt);
	out->len = rows.len;
	out->items = into_arena(arena, rows.items, rows.len, sizeof(*rows.items));
	return err->code == ATH_ERR_OK;
}

bool ath_replay_find_note(struct ath_journal *journal, const char *name, struct ath_pairs *out,
			  struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(
		ath_journal_db(journal),
		"SELECT pairs FROM note WHERE name = ?1 ORDER BY id DESC LIMIT 1", err);
	bool is_found;

	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, name);
	is_found = ath_stmt_next(stmt, err);
	if (is_found)
		ath_pairs_read(out, ath_stmt_text(stmt, 0));
	ath_stmt_free(stmt);
	return is_found;
}

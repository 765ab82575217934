/* SPDX-License-Identifier: MIT */
/*
 * journal/journal: adds events durably, one writer.
 *
 * Gathered events wait as plain rows in order; flush binds them to one of the prepared statements
 * of the table below.
 */
#include "journal/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/time.h"
#include "base/vec.h"
#include "journal/migrate.h"
#include "sqlite/handle.h"

enum event_kind {
	EVENT_TRANSITION,
	EVENT_SATISFIED,
	EVENT_FORGET,
	EVENT_NOTE,
	EVENT_FACT,
	EVENT_COUNT,
};

/* Parameters: 1 run, 2 time, 3 number, 4 to 6 texts. */
static const char *const event_sql[] = {
	[EVENT_TRANSITION] = "INSERT INTO transition (run, at_ms, attempt, step, state, reason)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[EVENT_SATISFIED] = "INSERT OR REPLACE INTO satisfied (run, at_ms, step, fingerprint)"
			    " SELECT ?1, ?2, ?4, ?5 WHERE ?3 IS NOT NULL OR ?6 IS NULL",
	[EVENT_FORGET] = "DELETE FROM satisfied WHERE step = ?4"
			 " AND coalesce(?1, ?2, ?3, ?5, ?6) IS NOT NULL",
	[EVENT_NOTE] = "INSERT INTO note (run, at_ms, step, name, pairs)"
		       " SELECT ?1, ?2, ?4, ?5, ?6 WHERE ?3 IS NOT NULL",
	[EVENT_FACT] = "INSERT INTO fact (run, at_ms, name, value)"
		       " SELECT ?1, ?2, ?4, ?5 WHERE ?3 IS NOT NULL OR ?6 IS NULL",
};

struct event {
	enum event_kind kind;
	int64_t number;
	int64_t at_ms;
	char *texts[3]; /* owned; may be NULL */
};

struct ath_journal {
	struct ath_db *db;                   /* owned */
	ATH_VEC(struct event) pending;       /* owned */
	struct ath_stmt *event[EVENT_COUNT]; /* belong to db; prepared at first use */
	struct ath_redact *hidden;           /* borrowed; NULL: nothing is masked */
	int64_t run;                         /* the run that is open, or 0 */
};

static struct ath_journal *wrap(struct ath_db *db)
{
	struct ath_journal *journal = ath_mem_new(1, sizeof(*journal));

	journal->db = db;
	return journal;
}

/* What an operator can do about a journal that SQLite cannot read. */
static void explain_damage(const char *path, struct ath_err *err)
{
	if (err->code != ATH_ERR_DATABASE)
		return;
	err->code = ATH_ERR_JOURNAL;
	ath_err_prefix(err,
		       "the journal '%s' is damaged, nothing was changed; move it aside to start a "
		       "new one (finished steps are then looked at again)",
		       path);
}

struct ath_journal *ath_journal_open(const char *path, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(path, ATH_DB_OWN, 5000, err);

	if (db && (ath_journal_is_current(db, err) ||
		   (err->code == ATH_ERR_OK && ath_journal_migrate(db, err))))
		return wrap(db);
	explain_damage(path, err);
	ath_db_close(db);
	return NULL;
}

struct ath_journal *ath_journal_open_read(const char *path, struct ath_err *err)
{
	struct ath_db *db = ath_db_open(path, ATH_DB_OWN_READ, 5000, err);

	if (db && ath_journal_is_current(db, err))
		return wrap(db);
	ath_db_close(db);
	if (err->code == ATH_ERR_NOT_FOUND)
		ath_err_clear(err);
	explain_damage(path, err);
	return NULL;
}

static void forget_pending(struct ath_journal *journal)
{
	ath_vec_each (&journal->pending, one) {
		for (size_t i = 0; i < 3; i++)
			free(one->texts[i]);
	}
	journal->pending.len = 0;
}

void ath_journal_close(struct ath_journal *journal)
{
	if (!journal)
		return;
	forget_pending(journal);
	ath_vec_fini(&journal->pending);
	ath_db_close(journal->db);
	free(journal);
}

void ath_journal_hide(struct ath_journal *journal, struct ath_redact *set)
{
	journal->hidden = set;
}

/* A text from outside as it may be kept; owned, NULL for NULL. */
static char *masked(const struct ath_journal *journal, const char *text)
{
	struct ath_str out = { 0 };

	if (!text)
		return NULL;
	ath_redact_put(journal->hidden, text, strlen(text), &out);
	return ath_str_steal(&out);
}

struct ath_db *ath_journal_db(struct ath_journal *journal)
{
	return journal->db;
}

static bool insert_run(struct ath_journal *journal, const struct ath_journal_run *run,
		       struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(
		journal->db,
		"INSERT INTO run (mark, boot_id, version, command, started_ms, continues)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		err);
	bool is_done;

	if (!stmt)
		return false;
	ath_stmt_bind_text(stmt, 1, run->mark);
	ath_stmt_bind_text(stmt, 2, run->boot_id);
	ath_stmt_bind_text(stmt, 3, ATH_VERSION);
	ath_stmt_bind_text(stmt, 4, run->command);
	ath_stmt_bind_int(stmt, 5, ath_time_wall().ms);
	if (run->continues)
		ath_stmt_bind_int(stmt, 6, run->continues);
	is_done = ATH_MAY(JOURNAL_RUN, err, "begin") && ath_stmt_run(stmt, err) &&
		  ATH_MAY_AFTER(JOURNAL_RUN, err, "begin");
	ath_stmt_free(stmt);
	return is_done;
}

bool ath_journal_begin_run(struct ath_journal *journal, const struct ath_journal_run *run,
			   struct ath_err *err)
{
	if (!insert_run(journal, run, err))
		return false;
	journal->run = ath_db_last_id(journal->db);
	return true;
}

static void add(struct ath_journal *journal, enum event_kind kind, int64_t number, const char *one,
		const char *two, const char *three)
{
	*ath_vec_push(&journal->pending) = (struct event){
		.kind = kind,
		.number = number,
		.at_ms = ath_time_wall().ms,
		.texts = { one ? ath_mem_strdup(one) : NULL, two ? ath_mem_strdup(two) : NULL,
			   three ? ath_mem_strdup(three) : NULL },
	};
}

void ath_journal_add_transition(struct ath_journal *journal, const char *step, unsigned attempt,
				const char *state, const char *reason)
{
	char *shown = masked(journal, reason);

	add(journal, EVENT_TRANSITION, attempt, step, state, shown);
	free(shown);
}

void ath_journal_add_satisfied(struct ath_journal *journal, const char *step,
			       const char *fingerprint)
{
	add(journal, EVENT_SATISFIED, 0, step, fingerprint, NULL);
}

void ath_journal_forget_satisfied(struct ath_journal *journal, const char *step)
{
	add(journal, EVENT_FORGET, 0, step, NULL, NULL);
}

static char *masked_value(const struct ath_journal *journal, const char *value)
{
	return value[0] == '/' ? ath_mem_strdup(value) : masked(journal, value);
}

/*
 * Fields that hold names out of the application's code and schema. Later runs compare them, and a secret
 * that is such a word (a password "alembic") is none any more.
 */
static bool is_of_names(const char *field)
{
	static const char *const fields[] = { "version_table", "rows", "contents", "assumed" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(field, fields[i]) == 0)
			return true;
	return false;
}

void ath_journal_add_note(struct ath_journal *journal, const char *step, const char *name,
			  const struct ath_pairs *pairs)
{
	struct ath_pairs shown = { 0 };
	struct ath_str text = { 0 };

	for (size_t i = 0; i < pairs->len; i++) {
		const char *field = pairs->items[i].name, *told = pairs->items[i].value;
		char *value =
			is_of_names(field) ? ath_mem_strdup(told) : masked_value(journal, told);

		ath_pairs_set(&shown, field, value);
		free(value);
	}
	ath_pairs_write(&shown, &text);
	add(journal, EVENT_NOTE, 0, step, name, ath_str_get(&text));
	ath_str_fini(&text);
	ath_pairs_fini(&shown);
}

void ath_journal_add_fact(struct ath_journal *journal, const char *name, const char *value)
{
	char *shown = masked_value(journal, value);

	add(journal, EVENT_FACT, 0, name, shown, NULL);
	free(shown);
}

bool ath_journal_has_pending(const struct ath_journal *journal)
{
	return journal->pending.len > 0;
}

static bool write_event(struct ath_journal *journal, const struct event *event, struct ath_err *err)
{
	struct ath_stmt **stmt = &journal->event[event->kind];

	if (!ATH_MAY(JOURNAL_EVENT, err, "%s %s", event->texts[0],
		     event->texts[1] ? event->texts[1] : "-"))
		return false;
	if (!*stmt)
		*stmt = ath_db_prepare(journal->db, event_sql[event->kind], err);
	if (!*stmt)
		return false;
	ath_stmt_bind_int(*stmt, 1, journal->run);
	ath_stmt_bind_int(*stmt, 2, event->at_ms);
	ath_stmt_bind_int(*stmt, 3, event->number);
	for (int i = 0; i < 3; i++)
		ath_stmt_bind_text(*stmt, 4 + i, event->texts[i]);
	return ath_stmt_run(*stmt, err);
}

static bool write_pending(struct ath_journal *journal, struct ath_err *err)
{
	ath_vec_each (&journal->pending, one) {
		if (!write_event(journal, one, err))
			return false;
	}
	return true;
}

bool ath_journal_flush(struct ath_journal *journal, struct ath_err *err)
{
	bool is_done;

	if (!journal->pending.len)
		return true;
	is_done = ath_db_begin(journal->db, err) && write_pending(journal, err) &&
		  ATH_MAY(JOURNAL_COMMIT, err, "%zu events", journal->pending.len) &&
		  ath_db_commit(journal->db, err) &&
		  ATH_MAY_AFTER(JOURNAL_COMMIT, err, "%zu events", journal->pending.len);
	if (is_done) {
		forget_pending(journal);
		return true;
	}
	ath_db_rollback(journal->db);
	return ath_err_prefix(err, "the journal '%s' cannot be written", ath_db_path(journal->db));
}

/* Close the row of a run. */
static bool close_run(struct ath_journal *journal, int64_t run, const struct ath_journal_end *end,
		      struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(
		journal->db,
		"UPDATE run SET ended_ms = ?2, outcome = ?3, exit_status = ?4, message = ?5,"
		" database = ?6 WHERE id = ?1",
		err);
	char *message;
	bool is_done;

	if (!stmt)
		return false;
	message = masked(journal, end->message);
	ath_stmt_bind_int(stmt, 1, run);
	ath_stmt_bind_int(stmt, 2, ath_time_wall().ms);
	ath_stmt_bind_text(stmt, 3, end->outcome);
	ath_stmt_bind_int(stmt, 4, end->exit_status);
	ath_stmt_bind_text(stmt, 5, message);
	ath_stmt_bind_text(stmt, 6, end->database);
	is_done = ATH_MAY(JOURNAL_RUN, err, "end %s", end->outcome) && ath_stmt_run(stmt, err) &&
		  ATH_MAY_AFTER(JOURNAL_RUN, err, "end %s", end->outcome);
	ath_stmt_free(stmt);
	free(message);
	return is_done;
}

bool ath_journal_end_run(struct ath_journal *journal, const struct ath_journal_end *end,
			 struct ath_err *err)
{
	return ath_journal_flush(journal, err) && close_run(journal, journal->run, end, err);
}

bool ath_journal_mark_dead(struct ath_journal *journal, int64_t run, struct ath_err *err)
{
	struct ath_journal_end end = { .outcome = "died", .exit_status = -1 };

	return close_run(journal, run, &end, err);
}

static bool repeat_nothing(struct ath_journal *journal, bool *out_is_repeated, struct ath_err *err)
{
	struct ath_stmt *stmt = ath_db_prepare(
		journal->db,
		"UPDATE run SET ended_ms = ?1, repeats = repeats + 1"
		" WHERE id = (SELECT max(id) FROM run) AND outcome = 'nothing' AND version = ?2"
		" RETURNING id",
		err);
	bool has_failed;

	if (!stmt)
		return false;
	ath_stmt_bind_int(stmt, 1, ath_time_wall().ms);
	ath_stmt_bind_text(stmt, 2, ATH_VERSION);
	*out_is_repeated = ath_stmt_next(stmt, err);
	has_failed = err->code != ATH_ERR_OK;
	ath_stmt_free(stmt);
	return !has_failed;
}

bool ath_journal_add_nothing(struct ath_journal *journal, const struct ath_journal_run *run,
			     struct ath_err *err)
{
	struct ath_journal_end end = { .outcome = "nothing" };
	bool is_repeated;

	if (!ath_db_exec(journal->db, "PRAGMA synchronous = OFF", err) ||
	    !repeat_nothing(journal, &is_repeated, err))
		return false;
	return is_repeated || (ath_journal_begin_run(journal, run, err) &&
			       close_run(journal, journal->run, &end, err));
}

/* SPDX-License-Identifier: MIT */
/* steps/database_state: what is to be done with a database, decided from what was seen. */
#include "steps/database_state.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* The rows as numbers of the chain. Fails for a row that is not in it. */
static bool find_rows(const struct ath_look *look, const struct ath_chain *chain, const char *path,
		      struct ath_arena *arena, struct ath_chain_list *out, struct ath_err *err)
{
	size_t *items = ath_arena_new(arena, look->rows_len, sizeof(*items));

	for (size_t i = 0; i < look->rows_len; i++) {
		items[i] = ath_chain_find(chain, look->rows[i]);
		if (items[i] == chain->len)
			return ath_err_set(
				err, ATH_ERR_REFUSED,
				"'%s' is stamped '%s', and this code has no such revision: "
				"the database is newer than the code, or of another "
				"application: install the version that made it, or, if you "
				"know better, say it with --assume-revision REV",
				path, look->rows[i]);
	}
	*out = (struct ath_chain_list){ items, look->rows_len };
	return true;
}

static bool is_at_heads(const struct ath_chain *chain, struct ath_chain_list rows,
			struct ath_arena *arena)
{
	return ath_chain_find_pending(chain, rows, arena).len == 0;
}

/* Ids of `rows` without those in `redundant`. */
static struct ath_texts ids_without(const struct ath_chain *chain, struct ath_chain_list rows,
				    struct ath_chain_list redundant, struct ath_arena *arena)
{
	const char **ids = ath_arena_new(arena, rows.len + 1, sizeof(*ids));
	struct ath_texts texts = { .items = ids };

	for (size_t i = 0; i < rows.len; i++) {
		bool is_redundant = false;

		for (size_t n = 0; n < redundant.len; n++)
			is_redundant |= redundant.items[n] == rows.items[i];
		if (!is_redundant)
			ids[texts.len++] = chain->entries[rows.items[i]].id;
	}
	return texts;
}

static bool decide_by_rows(const struct ath_look *look, const struct ath_chain *chain,
			   const char *path, struct ath_arena *arena, struct ath_database_plan *out,
			   struct ath_err *err)
{
	struct ath_chain_list rows, redundant;

	if (!find_rows(look, chain, path, arena, &rows, err))
		return false;
	redundant = ath_chain_find_redundant(chain, rows, arena);
	out->pending = ath_chain_find_pending(chain, rows, arena).len;
	if (redundant.len) {
		out->need = ATH_DATABASE_UPGRADE;
		out->must_stamp = true;
		out->stamp = ids_without(chain, rows, redundant, arena);
		snprintf(out->said, sizeof(out->said),
			 "the version row '%s' is an ancestor of another: it is removed",
			 chain->entries[redundant.items[0]].id);
		return true;
	}
	out->need = is_at_heads(chain, rows, arena) ? ATH_DATABASE_NONE : ATH_DATABASE_UPGRADE;
	if (out->pending)
		snprintf(out->said, sizeof(out->said), "%zu revision%s pending", out->pending,
			 out->pending == 1 ? "" : "s");
	else
		snprintf(out->said, sizeof(out->said), "at the head");
	return true;
}

/* Rows that the chain knows are not overruled: data steps would run twice, or never. */
static bool check_overrule(const struct ath_look *look, const struct ath_chain *chain,
			   const char *assume, const char *path, struct ath_err *err)
{
	for (size_t i = 0; i < look->rows_len; i++) {
		if (ath_chain_find(chain, look->rows[i]) == chain->len)
			return true;
	}
	return !look->rows_len ||
	       ath_err_set(
		       err, ATH_ERR_DECISION,
		       "'%s' is stamped '%s', which this code knows and nothing contradicts, and "
		       "--assume-revision says '%s': it answers only where the evidence leaves a "
		       "question; leave it out",
		       path, look->rows[0], assume);
}

static bool decide_assumed(const struct ath_look *look, const struct ath_chain *chain,
			   const char *assume, const char *path, struct ath_arena *arena,
			   struct ath_database_plan *out, struct ath_err *err)
{
	const char **ids = ath_arena_new(arena, 2, sizeof(*ids));
	size_t idx = ath_chain_find(chain, assume);

	if (idx == chain->len)
		return ath_err_set(
			err, ATH_ERR_USAGE,
			"--assume-revision names '%s', and the chain has no such revision", assume);
	if (look->rows_len == 1 && strcmp(look->rows[0], assume) == 0)
		return decide_by_rows(look, chain, path, arena, out, err);
	if (!check_overrule(look, chain, assume, path, err))
		return false;
	ids[0] = chain->entries[idx].id;
	out->need = ATH_DATABASE_UPGRADE;
	out->must_stamp = true;
	out->stamp = (struct ath_texts){ ids, 1 };
	out->pending = ath_chain_find_pending(chain, (struct ath_chain_list){ &idx, 1 }, arena).len;
	snprintf(out->said, sizeof(out->said), "taken to be at '%s', as you said; %zu pending",
		 assume, out->pending);
	return true;
}

static bool decide_fresh(const struct ath_look *look, const char *path,
			 struct ath_database_plan *out, struct ath_err *err)
{
	if (look->rows_len)
		return ath_err_set(
			err, ATH_ERR_DECISION,
			"'%s' is stamped '%s' but has no tables: a new database would be "
			"made in its place; move the file aside if that is right",
			path, look->rows[0]);
	out->need = ATH_DATABASE_INIT;
	out->is_fresh = true;
	snprintf(out->said, sizeof(out->said), "there is no database yet");
	return true;
}

static bool decide_unstamped(const char *path, size_t tables, struct ath_err *err)
{
	return ath_err_set(
		err, ATH_ERR_DECISION,
		"'%s' has %zu table%s and no version row, so Alembic cannot tell at which "
		"revision it is: say it with --assume-revision REV (what is pending from there is "
		"rehearsed on a copy)",
		path, tables, tables == 1 ? "" : "s");
}

/* Views, triggers and tables beside the version table. */
static size_t count_others(const struct ath_look *look, const char *version_table)
{
	size_t others = 0;

	for (size_t i = 0; i < look->schema.len; i++)
		others += !ath_schema_is_name(look->schema.objects[i].table, version_table);
	return others;
}

bool ath_database_decide(const struct ath_look *look, const char *version_table,
			 const struct ath_chain *chain, const char *assume, const char *path,
			 struct ath_arena *arena, struct ath_database_plan *out,
			 struct ath_err *err)
{
	size_t tables = ath_schema_count_tables(&look->schema, version_table);

	*out = (struct ath_database_plan){ 0 };
	switch (look->state) {
	case ATH_LOOK_MISSING:
	case ATH_LOOK_EMPTY:
		return decide_fresh(look, path, out, err);
	case ATH_LOOK_LOCKED:
		return ath_err_set(err, ATH_ERR_LOCKED, "'%s' is locked by another process: %s",
				   path, look->reason);
	case ATH_LOOK_RECOVERY:
		out->need = ATH_DATABASE_UPGRADE;
		snprintf(out->said, sizeof(out->said), "a crashed write waits to be rolled back");
		return true;
	case ATH_LOOK_UNREADABLE:
		return ath_err_set(
			err, ATH_ERR_REFUSED,
			"'%s' cannot be read: %s; `athanor backups` lists what could be put in "
			"its place by `athanor restore`; `sqlite3 FILE .recover` reads what is "
			"left",
			path, look->reason);
	default:
		break;
	}
	if (look->stamp == ATH_STAMP_WRONG_SHAPE)
		return ath_err_set(err, ATH_ERR_REFUSED,
				   "the version table of '%s' is not Alembic's: it has no column "
				   "version_num",
				   path);
	if (!count_others(look, version_table))
		return decide_fresh(look, path, out, err);
	if (assume)
		return decide_assumed(look, chain, assume, path, arena, out, err);
	if (look->stamp != ATH_STAMP_ROWS)
		return decide_unstamped(path, tables, err);
	return decide_by_rows(look, chain, path, arena, out, err);
}

/* SPDX-License-Identifier: MIT */
/* steps/database: what the steps around the database share. */
#include "steps/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pairs.h"
#include "facts/effects_ask.h"
#include "facts/target.h"
#include "os/file.h"
#include "sqlite/pages.h"
#include "sqlite/recovery.h"
#include "sqlite/snapshot.h"
#include "steps/appenv.h"

const struct ath_field ath_database_fields[] = {
	ATH_FIELD_REQUIRED(ath_database_config, alembic, PATH, "alembic.ini or pyproject.toml."),
	ATH_FIELD_OPTIONAL(ath_database_config, section, TEXT, "Section of the ini."),
	ATH_FIELD_OPTIONAL(ath_database_config, url, TEXT, "URL of the database, with ${NAME}."),
	ATH_FIELD_REQUIRED(ath_database_config, venv, PATH, "The virtual environment's folder."),
	ATH_FIELD_OPTIONAL(ath_database_config, env_file, PATH, "File with more variables."),
	ATH_FIELD_OPTIONAL(ath_database_config, init_run, ARGV, "Command for a new database."),
	ATH_FIELD_OPTIONAL(ath_database_config, init_in, PATH, "Folder in which it runs."),
	{ 0 },
};

struct hashing {
	struct ath_digest *digest;
	struct ath_meter *meter; /* or NULL */
	uint64_t total;          /* bytes */
};

static bool add_to_digest(void *user, uint64_t offset, const void *bytes, size_t len)
{
	struct hashing *hashing = user;

	ath_digest_add(hashing->digest, bytes, len);
	return ath_meter_move(hashing->meter, offset + len, hashing->total);
}

typedef bool read_fn(struct ath_database_work *work, struct hashing *hashing, struct ath_err *err);

static bool read_main(struct ath_database_work *work, struct hashing *hashing, struct ath_err *err)
{
	return ath_live_read(work->live, add_to_digest, hashing, err);
}

static bool read_pages(struct ath_database_work *work, struct hashing *hashing, struct ath_err *err)
{
	struct ath_str scratch = { 0 };
	bool is_read;

	ath_str_printf(&scratch, "%s.pages", work->clone);
	is_read =
		ath_live_read_pages(work->live, ath_str_get(&scratch), add_to_digest, hashing, err);
	ath_str_fini(&scratch);
	return is_read;
}

static struct hashing begin_hashing(struct ath_database_work *work, const char *path)
{
	struct hashing hashing = { ath_digest_new(), &work->meter, ath_database_bytes(path) };

	ath_meter_begin(&work->meter, "reading the database", hashing.total);
	return hashing;
}

static bool end_hashing(struct hashing *hashing, bool is_read, char out_text[ATH_DIGEST_TEXT])
{
	ath_meter_end(hashing->meter);
	if (is_read)
		ath_digest_finish(hashing->digest, out_text);
	ath_digest_free(hashing->digest);
	return is_read;
}

static bool hash_by(struct ath_database_work *work, read_fn *read, char out_text[ATH_DIGEST_TEXT],
		    struct ath_err *err)
{
	struct hashing hashing = begin_hashing(work, work->path);

	return end_hashing(&hashing, read(work, &hashing, err), out_text);
}

bool ath_database_hash_copy(struct ath_database_work *work, const char *path,
			    char out_text[ATH_DIGEST_TEXT], struct ath_err *err)
{
	struct hashing hashing = begin_hashing(work, path);

	return end_hashing(&hashing, ath_pages_read_file(path, add_to_digest, &hashing, err),
			   out_text);
}

const struct ath_live_traits *ath_database_traits(const struct ath_database_work *work)
{
	return work->online ? ath_online_traits(work->online) : ath_live_traits(work->live);
}

uint64_t ath_database_bytes(const char *path)
{
	struct ath_file_stamp stamp;

	return ath_file_stamp(path, &stamp) ? stamp.size : 0;
}

/* A -wal carries no locks, so it may be opened and closed beside SQLite. */
static bool hash_wal(const struct ath_database_work *work, char out_text[ATH_DIGEST_TEXT],
		     struct ath_err *err)
{
	struct ath_file_stamp stamp;
	struct ath_str path = { 0 };
	bool is_read = true;

	ath_str_printf(&path, "%s-wal", work->path);
	out_text[0] = '\0';
	if (ath_file_stamp(ath_str_get(&path), &stamp) && stamp.size)
		is_read = ath_digest_file(ath_str_get(&path), 0, out_text, err);
	ath_str_fini(&path);
	return is_read;
}

bool ath_database_hash_bytes(struct ath_database_work *work, struct ath_database_hashes *out,
			     struct ath_err *err)
{
	out->pages[0] = '\0';
	return hash_by(work, read_main, out->main, err) && hash_wal(work, out->wal, err);
}

bool ath_database_hash_live(const char *path, const char *scratch, unsigned busy_ms,
			    char out_text[ATH_DIGEST_TEXT], struct ath_err *err)
{
	struct ath_database_work work = {
		.path = ath_mem_strdup(path),
		.clone = ath_mem_strdup(scratch),
	};
	bool is_hashed = ath_database_remove_copy(scratch, err) &&
			 ath_live_open(path, busy_ms, &work.live, err) &&
			 hash_by(&work, read_pages, out_text, err);

	ath_live_close(work.live, false);
	free(work.path);
	free(work.clone);
	return is_hashed;
}

bool ath_database_hash_half_written(const char *path, const char *scratch, unsigned busy_ms,
				    char out_text[ATH_DIGEST_TEXT], struct ath_err *err)
{
	const struct ath_db_form form = { .path = path, .busy_ms = busy_ms };
	struct ath_database_work nothing = { 0 };
	struct ath_recovery_seen seen = { 0 };
	struct ath_err trouble = { 0 };
	bool is_hashed;

	out_text[0] = '\0';
	if (!ath_database_remove_copy(scratch, err) ||
	    !ath_recovery_copy(&form, scratch, &seen, NULL, NULL, err))
		return false;
	if (!seen.main.ino) /* somebody has rolled it back meanwhile */
		return ath_database_hash_live(path, scratch, busy_ms, out_text, err);
	is_hashed = seen.has_super || (ath_live_settle(scratch, err) &&
				       ath_database_hash_copy(&nothing, scratch, out_text, err));
	if (!is_hashed &&
	    err->code == ATH_ERR_DATABASE) { /* damaged: it has no pages to speak of */
		ath_err_clear(err);
		out_text[0] = '\0';
		is_hashed = true;
	}
	if (!ath_database_remove_copy(scratch, &trouble) && is_hashed)
		*err = trouble;
	return is_hashed && err->code == ATH_ERR_OK;
}

const char *ath_database_say_kept(const struct ath_database_work *work, char *buffer, size_t size)
{
	const char *kept = work->raw ? work->raw : work->pre_image;

	if (ath_file_kind(kept) == ATH_FILE_REGULAR)
		snprintf(buffer, size, "the state before is kept as '%s'", kept);
	else
		snprintf(buffer, size, "nothing of the state before is kept%s",
			 work->keeps_none ? " (--no-backup)" : ", which was empty");
	return buffer;
}

bool ath_database_hash(struct ath_database_work *work, struct ath_database_hashes *out,
		       struct ath_err *err)
{
	return hash_by(work, read_main, out->main, err) && hash_wal(work, out->wal, err) &&
	       hash_by(work, read_pages, out->pages, err);
}

bool ath_database_is_in_place(const struct ath_database_work *work)
{
	const struct ath_live_traits *traits = ath_database_traits(work);
	struct ath_file_stamp stamp;

	return ath_file_stamp(work->path, &stamp) && stamp.dev == traits->dev &&
	       stamp.ino == traits->ino;
}

bool ath_database_is_unchanged(struct ath_database_work *work, bool *out_is, struct ath_err *err)
{
	char main[ATH_DIGEST_TEXT], wal[ATH_DIGEST_TEXT];

	if (!hash_by(work, read_main, main, err) || !hash_wal(work, wal, err))
		return false;
	*out_is = strcmp(main, work->old.main) == 0 && strcmp(wal, work->old.wal) == 0 &&
		  ath_database_is_in_place(work);
	return true;
}

bool ath_database_audit(struct ath_database_work *work, const char *path, struct ath_audit *out,
			struct ath_err *err)
{
	bool is_read;

	ath_meter_begin(&work->meter, "checking the copy", 0);
	is_read = ath_audit_read_while(path, work->version_table,
				       &(struct ath_audit_wish){ ath_meter_goes_on, &work->meter },
				       out, err);
	ath_meter_end(&work->meter);
	return is_read;
}

bool ath_database_copy_live(struct ath_database_work *work, const char *to, struct ath_err *err)
{
	bool is_copied;

	ath_meter_begin(&work->meter, "copying the database", ath_database_bytes(work->path));
	if (work->online)
		is_copied = ath_online_copy(work->online, to, ath_meter_move, &work->meter, err);
	else
		is_copied = ath_live_copy(work->live, to, ath_meter_move, &work->meter, err);
	ath_meter_end(&work->meter);
	return is_copied;
}

bool ath_database_remove_copy(const char *path, struct ath_err *err)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal", "-super", ".pages" };

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct ath_str name = { 0 };
		bool is_gone;

		ath_str_printf(&name, "%s%s", path, tails[i]);
		is_gone = ath_file_remove_tree(ath_str_get(&name), err);
		ath_str_fini(&name);
		if (!is_gone)
			return false;
	}
	return true;
}

bool ath_database_copy_file(const char *from, const char *to, struct ath_meter *meter,
			    struct ath_err *err)
{
	struct ath_db *source = ath_db_open(from, ATH_DB_READ, 0, err);
	bool is_copied;

	ath_meter_begin(meter, "copying the database", ath_database_bytes(from));
	is_copied = source && ath_snapshot_copy(source, to, NULL, ath_meter_move, meter, err);
	ath_meter_end(meter);
	ath_db_close(source);
	return is_copied && ath_live_settle(to, err);
}

static bool check_rows(const struct ath_database_work *work, struct ath_err *err)
{
	struct ath_look look;
	struct ath_arena arena = { 0 };
	struct ath_texts rows;
	const char *joined;
	bool is_right = false;

	if (!ath_look(work->clone, work->version_table, 0, &look, err))
		return false;
	rows = (struct ath_texts){ look.rows, look.rows_len };
	joined = ath_database_join(&rows, &arena);
	if (look.state != ATH_LOOK_OK)
		ath_err_set(err, ATH_ERR_VERIFY, "the migrated copy is %s%s%s",
			    ath_look_state_name(look.state), look.reason[0] ? ": " : "",
			    look.reason);
	else if (strcmp(joined, work->heads) != 0)
		ath_err_set(err, ATH_ERR_VERIFY,
			    "the version table of the migrated copy holds '%s' instead of '%s'",
			    joined, work->heads);
	else
		is_right = true;
	ath_look_fini(&look);
	ath_arena_fini(&arena);
	return is_right;
}

/* Fewer rows may be what a migration is for: that is the operator's to say. */
static bool compare(const struct ath_database_work *work, const struct ath_audit *before,
		    struct ath_err *err)
{
	if (ath_audit_compare(before, &work->after, err))
		return true;
	if (err->code != ATH_ERR_DECISION)
		return false;
	if (!work->allow_row_loss)
		return ath_err_prefix(
			err, "rows would be gone (if that is meant, add --allow-row-loss)");
	ath_err_clear(err);
	return true;
}

bool ath_database_verify(struct ath_database_work *work, const struct ath_audit *before,
			 struct ath_err *err)
{
	ath_audit_fini(&work->after);
	if (!ath_live_settle(work->clone, err) || !check_rows(work, err) ||
	    !ath_database_audit(work, work->clone, &work->after, err))
		return false;
	if (!work->after.is_sound)
		return ath_err_set(err, ATH_ERR_VERIFY, "the migrated copy is damaged: %s",
				   work->after.fault);
	if (work->after.leftover && !before)
		return ath_err_set(err, ATH_ERR_VERIFY, "the migration left the table '%s' behind",
				   work->after.leftover);
	if (before && !compare(work, before, err))
		return false;
	return ath_database_hash_copy(work, work->clone, work->new_pages, err);
}

const char *ath_database_join(const struct ath_texts *texts, struct ath_arena *arena)
{
	struct ath_str joined = { 0 };
	const char *text;

	for (size_t i = 0; i < texts->len; i++)
		ath_str_printf(&joined, "%s%s", i ? "," : "", texts->items[i]);
	text = ath_arena_strdup(arena, ath_str_get(&joined));
	ath_str_fini(&joined);
	return text;
}

/* The application's environment; an env file that cannot be read adds nothing here. */
static void make_environ(const struct ath_step_world *world,
			 const struct ath_database_config *config, struct ath_environ *out)
{
	struct ath_err err = { 0 };

	if (ath_appenv_init(out, world, config->venv, config->env_file, &err))
		return;
	ath_err_clear(&err); /* the step env_file reports it */
	if (!ath_appenv_init(out, world, config->venv, NULL, &err))
		abort(); /* there is nothing left that could fail */
}

bool ath_database_url(const struct ath_step_world *world, const struct ath_database_config *config,
		      struct ath_str *out, bool *out_from_variable, struct ath_err *err)
{
	struct ath_environ environment;
	bool is_done = true;

	*out_from_variable = false;
	if (!config->url)
		return true;
	make_environ(world, config, &environment);
	is_done = ath_target_expand(config->url, &environment, out, out_from_variable, err);
	ath_environ_fini(&environment);
	return is_done;
}

void ath_database_environ(const struct ath_step_world *world,
			  const struct ath_database_config *config, const char *live,
			  const char *clone, struct ath_environ *out)
{
	char *ini = ath_file_join(world->root, config->alembic), *folder = ath_file_parent(ini);
	char *init_in = ath_file_join(world->root, config->init_in ? config->init_in : ".");
	struct ath_target_redirect redirect = {
		.live = live,
		.clone = clone,
		.written = config->url,
		.folders = { world->root, folder, init_in },
	};

	make_environ(world, config, out);
	if (live && clone)
		ath_target_apply(out, &redirect);
	free(init_in);
	free(folder);
	free(ini);
}

struct ath_facts_chain_place ath_database_chain_place(const struct ath_step_world *world,
						      const struct ath_database_config *config,
						      struct ath_arena *arena)
{
	struct ath_facts_reader *reader = ath_arena_new(arena, 1, sizeof(*reader));
	struct ath_facts_chain_place place = {
		.root = world->root,
		.alembic = config->alembic,
		.section = config->section ? config->section : "alembic",
		.reader = reader,
	};
	struct ath_pairs target = { 0 };
	char *known, *rest, *one;
	const char **items;

	reader->state_dir = world->state_dir; /* what is kept; nothing is asked */
	if (world->find_note(world->notes, "target", &target)) {
		known = ath_arena_strdup(arena, ath_pairs_get(&target, "locations"));
		items = ath_arena_new(arena, strlen(known) / 2 + 2, sizeof(*items));
		for (one = strtok_r(known, "\n", &rest); one; one = strtok_r(NULL, "\n", &rest))
			items[place.known.len++] = one;
		place.known.items = items;
	}
	ath_pairs_fini(&target);
	return place;
}

/* SPDX-License-Identifier: MIT */
/* facts/backups: the journal's records of pre-images against what lies in the state directory. */
#include "facts/backups.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pairs.h"
#include "journal/replay.h"
#include "os/file.h"
#include "sqlite/pages.h"
#include "trust/digest.h"

enum {
	DIGITS_LEAST = 4, /* of a mark, to be typed */
	DIGITS_SHOWN = 8, /* of it, unless more are needed */
	NAMED_MAX = 5,    /* backups in a message */
};

bool ath_backup_is_partial(const char *name)
{
	static const char *const heads[] = { "pre-", "raw-", "damaged-" };
	static const char tail[] = ".partial";
	const char *at = NULL;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]) && !at; i++)
		if (ath_str_has_prefix(name, heads[i]))
			at = name + strlen(heads[i]);
	if (!at || strspn(at, "0123456789abcdef") != ATH_BACKUP_MARK)
		return false;
	at += ATH_BACKUP_MARK;
	at += ath_str_has_prefix(at, "-2") || ath_str_has_prefix(at, "-3") ? 2 : 0;
	if (!ath_str_has_prefix(at, ".db"))
		return false;
	at = strstr(at, tail);
	return at && (at[strlen(tail)] == '\0' || at[strlen(tail)] == '-');
}

/* What else the journal says of the runs that have kept one. */
struct records {
	struct ath_replay_notes locked, saved, placing, committed, removed;
};

static bool load_records(struct ath_journal *journal, struct ath_arena *arena, struct records *out,
			 struct ath_err *err)
{
	return ath_replay_load_notes(journal, "db.locked", arena, &out->locked, err) &&
	       ath_replay_load_notes(journal, "db.saved", arena, &out->saved, err) &&
	       ath_replay_load_notes(journal, "db.placing", arena, &out->placing, err) &&
	       ath_replay_load_notes(journal, "db.committed", arena, &out->committed, err) &&
	       ath_replay_load_notes(journal, "db.removed", arena, &out->removed, err);
}

/* A field of the newest of a run's notes, in the arena; NULL: there is none. */
static const char *find_field(const struct ath_replay_notes *notes, const char *mark,
			      const char *field, struct ath_arena *arena)
{
	for (size_t i = 0; i < notes->len; i++) {
		struct ath_pairs pairs = { 0 };
		const char *value;

		if (strcmp(notes->items[i].run.mark, mark) != 0)
			continue;
		ath_pairs_read(&pairs, notes->items[i].pairs);
		value = ath_arena_strdup(arena, ath_pairs_get(&pairs, field));
		ath_pairs_fini(&pairs);
		return value;
	}
	return NULL;
}

static const char *find_rights(const struct ath_replay_notes *locked, const char *mark,
			       struct ath_arena *arena)
{
	const char *mode = find_field(locked, mark, "mode", arena);
	const char *owner = find_field(locked, mark, "owner", arena);

	return mode && owner ? ath_arena_printf(arena, "%s %s", mode, owner) : NULL;
}

static bool was_removed(const struct ath_replay_notes *removed, const char *mark)
{
	bool is_named = false;

	for (size_t i = 0; i < removed->len && !is_named; i++) {
		struct ath_pairs pairs = { 0 };

		ath_pairs_read(&pairs, removed->items[i].pairs);
		is_named = strcmp(ath_pairs_get(&pairs, "backup"), mark) == 0;
		ath_pairs_fini(&pairs);
	}
	return is_named;
}

/*
 * The database that the backup is of, where it is now: an application's folder that was moved as a whole
 * has taken both along. Where the state is kept elsewhere, the path stands as it was recorded.
 */
static const char *find_database(const struct ath_pairs *record, const char *mark,
				 const char *state_dir, struct ath_arena *arena)
{
	static const char own[] = "/.athanor";
	const char *of = ath_pairs_get(record, "of"), *file = ath_pairs_get(record, "file");
	const char *tail = ath_arena_printf(arena, "%s/backups/pre-%s.db", own, mark);
	size_t now = strlen(state_dir), then = strlen(file), len = strlen(tail);

	if (then < len || strcmp(file + then - len, tail) != 0 || now < strlen(own) ||
	    strcmp(state_dir + now - strlen(own), own) != 0 || strncmp(of, file, then - len) != 0 ||
	    of[then - len] != '/')
		return ath_arena_strdup(arena, of);
	return ath_arena_printf(arena, "%.*s%s", (int)(now - strlen(own)), state_dir,
				of + then - len);
}

static struct ath_backup read_backup(const struct ath_replay_note *note,
				     const struct records *records, const char *state_dir,
				     struct ath_arena *arena)
{
	struct ath_pairs pairs = { 0 };
	struct ath_file_stamp stamp;
	struct ath_backup backup = {
		.mark = note->run.mark,
		.command = note->run.command,
		.at_ms = note->at_ms,
		.is_needed = ath_str_is(note->run.database, "needs-you"),
		.file = ath_arena_printf(arena, "%s/backups/pre-%s.db", state_dir, note->run.mark),
		.rights = find_rights(&records->locked, note->run.mark, arena),
		.made = find_field(&records->placing, note->run.mark, "pages", arena),
		.state = ATH_BACKUP_MISSING,
	};

	ath_pairs_read(&pairs, note->pairs);
	backup.of = find_database(&pairs, note->run.mark, state_dir, arena);
	backup.was = ath_arena_strdup(arena, ath_pairs_get(&pairs, "of"));
	backup.pages = ath_arena_strdup(arena, ath_pairs_get(&pairs, "pages"));
	backup.rows = ath_arena_strdup(arena, ath_pairs_get(&pairs, "rows"));
	ath_pairs_fini(&pairs);
	if (ath_file_kind(backup.file) == ATH_FILE_REGULAR && !ath_file_is_link(backup.file) &&
	    ath_file_stamp(backup.file, &stamp)) {
		backup.state = ATH_BACKUP_UNCHECKED;
		backup.bytes = stamp.size;
	}
	return backup;
}

static bool must_be_there(const struct records *records, const struct ath_backup *backup,
			  struct ath_backups *backups)
{
	return find_field(&records->committed, backup->mark, "pages", &backups->arena) &&
	       !was_removed(&records->removed, backup->mark);
}

/* A step that is tried again records again. */
static bool is_repeated(const struct ath_backups *backups, const char *mark)
{
	for (size_t i = 0; i < backups->len; i++)
		if (strcmp(backups->items[i].mark, mark) == 0)
			return true;
	return false;
}

static bool are_told_apart(const struct ath_backups *backups, size_t digits)
{
	for (size_t i = 0; i < backups->len; i++)
		for (size_t n = i + 1; n < backups->len; n++)
			if (strncmp(backups->items[i].mark, backups->items[n].mark, digits) == 0)
				return false;
	return true;
}

bool ath_backups_load(struct ath_journal *journal, const char *state_dir, struct ath_backups *out,
		      struct ath_err *err)
{
	struct records records = { 0 };

	*out = (struct ath_backups){ .digits = DIGITS_SHOWN };
	if (!journal)
		return true;
	if (!load_records(journal, &out->arena, &records, err))
		return false;
	out->items = ath_arena_new(&out->arena, records.saved.len + 1, sizeof(*out->items));
	for (size_t i = 0; i < records.saved.len; i++) {
		const struct ath_replay_note *note = &records.saved.items[i];
		struct ath_backup backup;

		if (is_repeated(out, note->run.mark))
			continue;
		backup = read_backup(note, &records, state_dir, &out->arena);
		if (backup.state == ATH_BACKUP_MISSING && !must_be_there(&records, &backup, out))
			continue;
		out->items[out->len++] = backup;
	}
	while (!are_told_apart(out, out->digits))
		out->digits++;
	return true;
}

void ath_backups_fini(struct ath_backups *backups)
{
	ath_arena_fini(&backups->arena);
	*backups = (struct ath_backups){ 0 };
}

static bool add_to_digest(void *user, uint64_t offset, const void *bytes, size_t len)
{
	(void)offset;
	ath_digest_add(user, bytes, len);
	return true;
}

void ath_backup_check(struct ath_backup *backup)
{
	struct ath_digest *digest;
	struct ath_err err = { 0 };
	char pages[ATH_DIGEST_TEXT];

	if (backup->state != ATH_BACKUP_UNCHECKED)
		return;
	digest = ath_digest_new();
	backup->state = ATH_BACKUP_DAMAGED;
	if (!ath_pages_read_file(backup->file, add_to_digest, digest, &err)) {
		snprintf(backup->fault, sizeof(backup->fault), "%.*s",
			 (int)sizeof(backup->fault) - 1, err.msg);
	} else {
		ath_digest_finish(digest, pages);
		if (strcmp(pages, backup->pages) == 0)
			backup->state = ATH_BACKUP_WHOLE;
		else
			snprintf(backup->fault, sizeof(backup->fault),
				 "its pages are not those that were recorded when it was kept");
	}
	ath_digest_free(digest);
}

const char *ath_backup_state_name(enum ath_backup_state state)
{
	static const char *const names[] = {
		[ATH_BACKUP_UNCHECKED] = "unchecked",
		[ATH_BACKUP_WHOLE] = "whole",
		[ATH_BACKUP_DAMAGED] = "damaged",
		[ATH_BACKUP_MISSING] = "missing",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == ATH_BACKUP_STATE_COUNT_, "one each");

	assert((unsigned)state < ATH_BACKUP_STATE_COUNT_);
	return names[state];
}

static bool fail_ambiguous(const struct ath_backups *backups, const char *text, struct ath_err *err)
{
	struct ath_str names = { 0 };
	size_t named = 0;

	for (size_t i = 0; i < backups->len && named < NAMED_MAX; i++)
		if (ath_str_has_prefix(backups->items[i].mark, text))
			ath_str_printf(&names, "%s%.*s", named++ ? ", " : "", (int)backups->digits,
				       backups->items[i].mark);
	ath_err_set(err, ATH_ERR_USAGE, "more than one backup begins with '%s': %s", text,
		    ath_str_get(&names));
	ath_str_fini(&names);
	return false;
}

size_t ath_backups_find_last(const struct ath_backups *backups)
{
	for (size_t i = 0; i < backups->len; i++)
		if (backups->items[i].made && strcmp(backups->items[i].command, "restore") != 0)
			return i;
	return backups->len;
}

static size_t find_by_mark(const struct ath_backups *backups, const char *text, size_t *out_count)
{
	size_t found = backups->len;

	*out_count = 0;
	for (size_t i = backups->len; i > 0; i--) {
		if (!ath_str_has_prefix(backups->items[i - 1].mark, text))
			continue;
		found = i - 1;
		++*out_count;
	}
	return strlen(text) < DIGITS_LEAST ? backups->len : found;
}

bool ath_backups_find(const struct ath_backups *backups, const char *text, size_t *out_idx,
		      struct ath_err *err)
{
	size_t count = 1, found;

	if (!backups->len)
		return ath_err_set(err, ATH_ERR_NOT_FOUND, "no backup has been kept here");
	found = strcmp(text, "last") == 0 ? ath_backups_find_last(backups)
					  : find_by_mark(backups, text, &count);
	if (found == backups->len)
		return ath_err_set(
			err, ATH_ERR_NOT_FOUND,
			"there is no backup '%s'; `athanor backups` lists them (at least "
			"%d digits of an ID)",
			text, DIGITS_LEAST);
	if (count > 1)
		return fail_ambiguous(backups, text, err);
	*out_idx = found;
	return true;
}

static bool is_followed(const char *const *hashes, size_t len, const char *hash)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(hashes[i], hash) == 0)
			return true;
	return false;
}

/*
 * Did the run of backup `i` make a state that holds nothing newer than backup `idx`? A restore makes what
 * somebody may have written later, unless that state had been kept before `idx` was.
 */
static bool made_nothing_newer(const struct ath_backups *backups, size_t i, size_t idx)
{
	const struct ath_backup *one = &backups->items[i];

	if (!one->made || strcmp(one->of, backups->items[idx].of) != 0)
		return false;
	if (strcmp(one->command, "restore") != 0)
		return true;
	for (size_t older = idx; older < backups->len; older++)
		if (strcmp(backups->items[older].pages, one->made) == 0 &&
		    strcmp(backups->items[older].of, one->of) == 0)
			return true;
	return false;
}

const char *ath_backups_follow(const struct ath_backups *backups, size_t idx,
			       struct ath_arena *arena)
{
	const char **hashes = ath_arena_new(arena, backups->len + 2, sizeof(*hashes));
	struct ath_str joined = { 0 };
	size_t len = 0;
	const char *text;

	hashes[len++] = backups->items[idx].pages;
	for (size_t i = idx + 1; i > 0; i--) { /* oldest first, from the backup on */
		const struct ath_backup *one = &backups->items[i - 1];

		if (is_followed(hashes, len, one->pages) && made_nothing_newer(backups, i - 1, idx))
			hashes[len++] = one->made;
	}
	for (size_t i = 0; i < len; i++)
		ath_str_printf(&joined, "%s%s", i ? "," : "", hashes[i]);
	text = ath_arena_strdup(arena, ath_str_get(&joined));
	ath_str_fini(&joined);
	return text;
}

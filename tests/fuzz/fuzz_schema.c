/* SPDX-License-Identifier: MIT */
/*
 * A database file may hold any bytes: looking at it ends, and ends with a state or an error.
 *
 * An input is the main file; what stands behind a line "-- wal --" in it is the WAL. Invariants: a
 * state that is not fine has a reason, elements are sorted without doubles and their keys are whole,
 * two looks agree, and not a byte of the main file changes.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/fingerprint.h"
#include "sqlite/elements.h"
#include "sqlite/look.h"

static const char wal_mark[] = "\n-- wal --\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/athanor-fuzz-XXXXXX";
static char path[64], wal[80], shm[80], journal[80];

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void remove_files(void)
{
	unlink(path);
	unlink(wal);
	unlink(shm);
	unlink(journal);
}

static void leave(void)
{
	remove_files();
	rmdir(folder);
}

/* One private folder for the life of the process, in memory where there is such a place. */
static void prepare(void)
{
	if (path[0])
		return;
	if (!mkdtemp(folder)) {
		memcpy(folder, "/tmp/athanor-fuzz-XXXXXX", sizeof("/tmp/athanor-fuzz-XXXXXX"));
		require(mkdtemp(folder) != NULL);
	}
	snprintf(path, sizeof(path), "%s/db", folder);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(shm, sizeof(shm), "%s-shm", path);
	snprintf(journal, sizeof(journal), "%s-journal", path);
	atexit(leave);
}

static void put_file(const char *name, const uint8_t *data, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void require_same_bytes(const uint8_t *data, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *found = malloc(size + 1);

	require(fd >= 0 && found && read(fd, found, size + 1) == (ssize_t)size);
	require(!size || !memcmp(found, data, size));
	free(found);
	close(fd);
}

static void check_elements(const struct ath_elements *set)
{
	for (size_t i = 0; i < set->len; i++) {
		const struct ath_element *one = &set->items[i];

		require(one->kind < ATH_ELEMENT_KIND_COUNT_ && one->key && one->table);
		require(strncmp(one->key, ath_element_kind_name(one->kind),
				strlen(ath_element_kind_name(one->kind))) == 0);
		require(!i || strcmp(set->items[i - 1].key, one->key) < 0);
		require(one->kind != ATH_ELEMENT_COLUMN || one->attributes.type);
	}
}

/* What facts/inference does with a file that a look calls fine. */
static void read_parts(const char fingerprint[ATH_HASH_TEXT])
{
	struct ath_arena arena = { 0 };
	struct ath_elements set = { 0 };
	struct ath_look look = { 0 };
	struct ath_err err = { 0 };
	struct ath_db *db = ath_db_open(path, ATH_DB_READ, 0, &err);
	char again[ATH_HASH_TEXT];

	if (db && ath_db_exec(db, "BEGIN", &err) &&
	    ath_look_read(db, "alembic_version", &look, &err)) {
		ath_schema_fingerprint(&look.schema, again);
		require(!strcmp(fingerprint, again));
		if (ath_elements_read(db, "alembic_version", &arena, &set, &err))
			check_elements(&set);
	}
	require(!db || set.items || err.code != ATH_ERR_OK || !set.len);
	ath_look_fini(&look);
	ath_arena_fini(&arena);
	ath_db_close(db);
}

static void check_look(const struct ath_look *look)
{
	char fingerprint[ATH_HASH_TEXT];

	require(look->state < ATH_LOOK_COUNT_ && look->stamp < ATH_STAMP_COUNT_);
	if (look->state != ATH_LOOK_OK && look->state != ATH_LOOK_EMPTY) {
		require(look->reason[0]);
		return;
	}
	require((look->stamp == ATH_STAMP_ROWS) == (look->rows_len > 0));
	for (size_t i = 1; i < look->rows_len; i++)
		require(strcmp(look->rows[i - 1], look->rows[i]) <= 0);
	ath_schema_fingerprint(&look->schema, fingerprint);
	if (look->state == ATH_LOOK_OK)
		read_parts(fingerprint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = memmem(data, size, wal_mark, strlen(wal_mark));
	size_t len = mark ? (size_t)(mark - data) : size;
	struct ath_look look = { 0 };
	struct ath_err err = { 0 };

	prepare();
	remove_files();
	put_file(path, data, len);
	if (mark)
		put_file(wal, mark + strlen(wal_mark), size - len - strlen(wal_mark));
	require(ath_look(path, "alembic_version", 0, &look, &err));
	check_look(&look);
	ath_look_fini(&look);
	require_same_bytes(data, len);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* steps/room: adds up what is needed on each file system. */
#include "steps/room.h"

#include <inttypes.h>

static const struct part {
	uint64_t times; /* database and -wal */
	const char *what;
} parts[ATH_ROOM_COUNT_] = {
	[ATH_ROOM_DATABASE] = { 2, "the commit" },
	[ATH_ROOM_STATE] = { 3, "the pre-image and the copy" },
	[ATH_ROOM_TEMPORARY] = { 1, "SQLite's temporary files" },
};

enum {
	TIMES_MAX = 4, /* in use at one time */
};

#define SPARE (UINT64_C(64) << 20)

static bool is_shared(const struct ath_room_question *question, unsigned one, unsigned other)
{
	return question->folders[one] && question->folders[other] &&
	       question->spaces[one].dev == question->spaces[other].dev;
}

uint64_t ath_room_need(const struct ath_room_question *question, enum ath_room_place place)
{
	bool has_state = is_shared(question, place, ATH_ROOM_STATE);
	uint64_t times = 0;

	for (unsigned i = 0; i < ATH_ROOM_COUNT_; i++)
		times += is_shared(question, place, i) ? parts[i].times : 0;
	if (times > TIMES_MAX)
		times = TIMES_MAX;
	if (place == ATH_ROOM_TEMPORARY && times == parts[place].times)
		return times * question->bytes; /* a small /tmp is enough for a small database */
	return times * question->bytes + SPARE + (has_state ? question->raw : 0);
}

enum ath_room_place ath_room_find_lack(const struct ath_room_question *question)
{
	for (unsigned i = 0; i < ATH_ROOM_COUNT_; i++) {
		if (question->folders[i] &&
		    question->spaces[i].free_bytes < ath_room_need(question, i))
			return i;
	}
	return ATH_ROOM_COUNT_;
}

const char *ath_room_temporary(const struct ath_environ *environment)
{
	const char *const folders[] = {
		ath_environ_find(environment, "SQLITE_TMPDIR"),
		ath_environ_find(environment, "TMPDIR"),
		"/var/tmp",
		"/usr/tmp",
		"/tmp",
	};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (folders[i] && ath_file_kind(folders[i]) == ATH_FILE_FOLDER &&
		    ath_file_can_write(folders[i]))
			return folders[i];
	}
	return NULL;
}

static bool fail(const struct ath_room_question *question, enum ath_room_place place,
		 struct ath_err *err)
{
	struct ath_str what = { 0 };

	for (unsigned i = 0; i < ATH_ROOM_COUNT_; i++) {
		if (is_shared(question, place, i))
			ath_str_printf(&what, "%s%s", what.len ? ", " : "", parts[i].what);
	}
	ath_err_set(err, ATH_ERR_PREFLIGHT,
		    "'%s' has %" PRIu64 " MiB free, and %" PRIu64 " MiB are needed for %s",
		    question->folders[place], question->spaces[place].free_bytes >> 20,
		    (ath_room_need(question, place) + (1 << 20) - 1) >> 20, ath_str_get(&what));
	ath_str_fini(&what);
	return false;
}

bool ath_room_check(struct ath_room_question *question, bool *out_is_fuse, struct ath_err *err)
{
	enum ath_room_place lack;

	*out_is_fuse = false;
	for (unsigned i = 0; i < ATH_ROOM_COUNT_; i++) {
		struct ath_file_space *space = &question->spaces[i];

		if (!question->folders[i])
			continue;
		if (!ath_file_space(question->folders[i], space, err))
			return false;
		if (space->is_network && i != ATH_ROOM_TEMPORARY)
			return ath_err_set(err, ATH_ERR_REFUSED,
					   "'%s' is on a network file system, where SQLite's locks "
					   "do not hold",
					   question->folders[i]);
		*out_is_fuse |= space->is_fuse && i != ATH_ROOM_TEMPORARY;
	}
	lack = ath_room_find_lack(question);
	return lack == ATH_ROOM_COUNT_ || fail(question, lack, err);
}

/* SPDX-License-Identifier: MIT */
/*
 * procs: what the tests of os/ look at: processes by an argument, our children, our descriptors.
 */
#ifndef ATH_TESTS_PROCS_H
#define ATH_TESTS_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/child.h"

/* How many living processes have `tag` as one of their arguments. */
unsigned procs_count(const char *tag);

enum {
	PROCS_FAMILY = 4,    /* processes of the nasty family that stay */
	PROCS_FAMILY_UP = 8, /* so many are there only when its daemon is forking */
};

/* Wait until procs_count() was once at least `least`; fails the test after 5 s. */
void procs_wait_for(const char *tag, unsigned least);

/* Kill what has `tag`, so that a failed or a control test leaves nothing behind. */
void procs_kill(const char *tag);

/* Adopt what loses its parent in this test, so that a left process shows as a child. */
void procs_adopt(void);

/* Reap what has ended; fails the test if a child is left after 2 s. */
void procs_assert_no_child(void);

/* How many descriptors this process has open. */
unsigned procs_count_descriptors(void);

/* A tag that no other test and no other run uses; static text, overwritten by the next call. */
const char *procs_new_tag(void);

/* Sleep. */
void procs_sleep_ms(long ms);

/* One child under test: what it said and how it ended. */
struct procs_child {
	char output[ATH_CHILD_STREAM_COUNT_][4096]; /* the first bytes, NUL-terminated */
	uint64_t amount[ATH_CHILD_STREAM_COUNT_];   /* bytes in all */
	unsigned ends;                              /* how often on_done came */
	struct ath_child_result result;
	unsigned tagged_at_end; /* processes with `tag` when on_done came */
	const char *tag;        /* NULL: nothing is counted */
	struct ath_child *child;
	void (*on_ready)(struct procs_child *self); /* first output; may be NULL */
	void (*on_end)(struct procs_child *self);   /* may be NULL */
	void *user;
};

/* A form whose callbacks fill `child`. */
struct ath_child_form procs_form(const char *const *argv, const struct ath_environ *environment,
				 struct procs_child *child);

#endif

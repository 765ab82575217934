/* SPDX-License-Identifier: MIT */
/*
 * bridge/request: the embedded Python program, and what it is asked to do.
 *
 * The program is written into a folder of ours, "bridge-HASH" by the hash of its text: bridge.py and
 * the modules that it loads. The request is a JSON file beside a run's logs (bridge.py describes it).
 * One process answers all commands of a request, in order.
 */
#ifndef ATH_BRIDGE_REQUEST_H
#define ATH_BRIDGE_REQUEST_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"
#include "base/hash.h"

enum ath_bridge_do {
	ATH_BRIDGE_HEADS,       /* the graph, as Alembic loads it */
	ATH_BRIDGE_TARGET,      /* which database env.py would open */
	ATH_BRIDGE_CURRENT,     /* the rows of the version table on the clone */
	ATH_BRIDGE_UPGRADE,     /* to the revision `ids` or to all heads, on the clone */
	ATH_BRIDGE_STAMP,       /* `ids`, on the clone; `purge` empties the table first */
	ATH_BRIDGE_CREATE_ALL,  /* from the project's metadata, on the clone */
	ATH_BRIDGE_MISSING,     /* tables and columns of the metadata that the clone lacks */
	ATH_BRIDGE_RUN,         /* a Python command `ids` in `cwd`, with the nets on */
	ATH_BRIDGE_EFFECTS,     /* what each revision does by its text; `ids`, `files` or all */
	ATH_BRIDGE_IDENTIFIERS, /* what `files` call themselves and their parents; `ids` as names */
	ATH_BRIDGE_REPLAY,      /* the chain on the clone, an empty database, told step by step */
	ATH_BRIDGE_DO_COUNT_
};

struct ath_bridge_command {
	enum ath_bridge_do verb;
	struct ath_texts ids; /* UPGRADE: one revision, or none; STAMP, EFFECTS: revisions; RUN:
				 argument vector */
	const char *cwd;      /* RUN: folder, or NULL */
	bool purge;           /* STAMP */
	/*
	 * EFFECTS, IDENTIFIERS: the file of each id, in an order of the chain (parents first); nothing of the
	 * application is imported then. Empty: the files that Alembic finds.
	 */
	struct ath_texts files;
};

/* A request; all borrowed. */
struct ath_bridge_request {
	const char *config; /* absolute path of alembic.ini or pyproject.toml */
	const char *section;
	const char *cwd;   /* where `alembic` would be typed */
	const char *clone; /* NULL: only looking */
	const char *live;  /* NULL: not known, or not there yet */
	const struct ath_bridge_command *commands;
	size_t len;
};

/* The hash of the program's text. */
void ath_bridge_hash_program(char out_text[ATH_HASH_TEXT]);

/*
 * Write the program below `folder` if it is not there; `out_path`, of bridge.py, is made in `arena`.
 * Fails with: ATH_ERR_IO.
 */
ATH_NODISCARD bool ath_bridge_write_program(const char *folder, struct ath_arena *arena,
					    const char **out_path, struct ath_err *err);

/* Write the request as a new or replaced file `path` (0600). Fails with: ATH_ERR_IO. */
ATH_NODISCARD bool ath_bridge_write_request(const char *path,
					    const struct ath_bridge_request *request,
					    struct ath_err *err);

#endif

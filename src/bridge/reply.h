/* SPDX-License-Identifier: MIT */
/*
 * bridge/reply: reads the JSON lines of the bridge into plain structs.
 *
 * A line comes from a process that runs the application's own code, so it is taken as hostile: size
 * is capped by the reader of lines, duplicate keys are refused, and every missing key is an empty
 * value.
 */
#ifndef ATH_BRIDGE_REPLY_H
#define ATH_BRIDGE_REPLY_H

#include <stdbool.h>

#include "alembic/chain.h"
#include "alembic/effects.h"
#include "alembic/revision.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"
#include "schema/element.h"

enum ath_bridge_event {
	ATH_BRIDGE_SAYS_HEADS,
	ATH_BRIDGE_SAYS_TARGET,
	ATH_BRIDGE_SAYS_CURRENT,
	ATH_BRIDGE_SAYS_REVISION,
	ATH_BRIDGE_SAYS_UPGRADED,
	ATH_BRIDGE_SAYS_STAMPED,
	ATH_BRIDGE_SAYS_CREATED,
	ATH_BRIDGE_SAYS_MISSING,
	ATH_BRIDGE_SAYS_RAN,
	ATH_BRIDGE_SAYS_EFFECTS,
	ATH_BRIDGE_SAYS_IDENTIFIERS,
	ATH_BRIDGE_SAYS_SCHEMA,
	ATH_BRIDGE_SAYS_STOPPED,
	ATH_BRIDGE_SAYS_NOTE,
	ATH_BRIDGE_SAYS_ERROR,
	ATH_BRIDGE_SAYS_END,
	ATH_BRIDGE_SAYS_COUNT_
};

/* One reply; which members are filled depends on the event. Texts are in the arena; NULL: null. */
struct ath_bridge_reply {
	enum ath_bridge_event event;
	struct ath_texts heads;                /* HEADS: sorted */
	const struct ath_chain_entry *entries; /* HEADS: the graph */
	size_t entries_len;
	const char *script;         /* HEADS: absolute folder of env.py */
	struct ath_texts locations; /* HEADS: absolute folders of the revision files */
	bool is_recursive;          /* HEADS: and of those below */
	struct ath_texts
		sources; /* HEADS: absolute; modules of the application that were imported */
	const char *alembic, *sqlalchemy; /* HEADS: versions */
	const char *url;                  /* TARGET: redacted */
	const char *dialect, *driver;     /* TARGET */
	const char *path;                 /* TARGET: absolute; NULL: memory, or not SQLite */
	const char *version_table;        /* TARGET, CURRENT */
	const char *version_table_schema; /* TARGET */
	bool several;                     /* TARGET: more than one database */
	struct ath_texts paths;           /* TARGET: all of them */
	struct ath_texts tables;          /* TARGET: of the metadata; CREATED, MISSING, SCHEMA */
	struct ath_texts columns;         /* MISSING: "table.column" */
	bool has_rows;                    /* CURRENT: there is a version table */
	struct ath_texts rows;            /* CURRENT */
	struct ath_effects effects;       /* EFFECTS: of `revision` */
	/*
	 * IDENTIFIERS: what the file of `revision`, a name that the request gave it, says of itself.
	 * An answer in another form than the scanner's is an escalation.
	 */
	struct ath_scan_file identifiers;
	bool is_parsed; /* IDENTIFIERS: this Python understands the file */
	/*
	 * SCHEMA, after `revision`: `tables` (folded) are told whole and replace what was known of
	 * them, `removed` (folded) are gone, other tables are as they were. Views and triggers are
	 * always told, all of them. Without the version table.
	 */
	struct ath_elements elements;
	struct ath_texts removed;
	const char *revision; /* REVISION, EFFECTS, IDENTIFIERS, SCHEMA, STOPPED, ERROR: id, NULL */
	const char *state;    /* REVISION: start, done */
	const char *message;  /* NOTE, STOPPED, ERROR */
	const char *kind;     /* ERROR: import, config, net, migration, ... */
	const char *where;    /* STOPPED, ERROR: file:line or NULL */
	bool is_of_schema;    /* ERROR: a revision and the database's schema do not fit */
};

/*
 * Read one line.
 * Fails with: ATH_ERR_BRIDGE (not such a line).
 */
ATH_NODISCARD bool ath_bridge_read(const char *line, size_t len, struct ath_arena *arena,
				   struct ath_bridge_reply *out, struct ath_err *err);

#endif

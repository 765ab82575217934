/* SPDX-License-Identifier: MIT */
/*
 * alembic/lint_text: what the text of one revision says beside its effects, as raw facts.
 *
 * Filled by the bridge from src/bridge/notes.py, judged by alembic/lint. A fact has its line in the
 * revision's file; names of tables and columns are folded.
 */
#ifndef ATH_ALEMBIC_LINT_TEXT_H
#define ATH_ALEMBIC_LINT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/field.h"

struct ath_effect;

enum ath_lint_note_kind {
	ATH_LINT_NOTE_ADD_COLUMN, /* a column for a table that is there */
	ATH_LINT_NOTE_ALTER,      /* an operation that SQLite has no statement for: `name` */
	ATH_LINT_NOTE_REBUILD,    /* a batch copies `table` */
	ATH_LINT_NOTE_DATA,       /* a statement that changes rows; `name`: UPDATE, DELETE, ... */
	ATH_LINT_NOTE_IMPORT, /* of a module that has to be installed, when the file is loaded */
	ATH_LINT_NOTE_MODULE_USE, /* `name` ("op.get_bind") is called when the file is loaded */
	ATH_LINT_NOTE_APART,      /* `name` (CONCURRENTLY, ...) commits on its own */
	ATH_LINT_NOTE_COUNT_
};

struct ath_lint_note {
	enum ath_lint_note_kind kind;
	unsigned line;
	bool is_doubtful;         /* only a run decides whether it is done */
	bool is_required;         /* ADD_COLUMN: NOT NULL, and not a key */
	bool has_default;         /* ADD_COLUMN: the database fills it in */
	bool is_batch;            /* ALTER: inside batch_alter_table */
	bool is_rename;           /* ALTER: nothing but a new name */
	bool is_always;           /* REBUILD: on every database, not on SQLite alone */
	const char *name;         /* or NULL */
	const char *table;        /* or NULL: not said literally */
	struct ath_texts columns; /* ADD_COLUMN and ALTER: the one; DATA: those that are set */
	bool has_columns;         /* `columns` is known */
};

/* downgrade(), as far as it can be followed from what upgrade() leaves behind. */
struct ath_lint_downgrade {
	unsigned line;
	bool is_static; /* `items` is all it does */
	bool is_empty;  /* nothing stands in it */
	const struct ath_effect *items;
	size_t len;
};

struct ath_lint_text {
	bool is_read;        /* Python could parse the file */
	bool hides;          /* it does something of which nothing is known */
	const char *message; /* first line of the docstring, or NULL */
	const struct ath_lint_note *notes;
	size_t len;
	const struct ath_lint_downgrade *downgrade; /* NULL: there is none */
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * alembic/lint_rules: what the rules share: the run that collects findings, and the effects of the
 * whole chain by element. Only for alembic/lint*.c.
 */
#ifndef ATH_ALEMBIC_LINT_RULES_H
#define ATH_ALEMBIC_LINT_RULES_H

#include "alembic/lint_subject.h"
#include "alembic/lint_text.h"
#include "base/arena.h"
#include "base/vec.h"

#define ATH_LINT_NO_REVISION ((size_t)-1) /* a finding of the whole chain, or of env.py */

struct ath_lint_run;

/* What a rule needs, or it is not asked. */
enum ath_lint_need {
	ATH_LINT_NEEDS_ENTRIES,
	ATH_LINT_NEEDS_CHAIN,
	ATH_LINT_NEEDS_TEXTS, /* the chain and what was read of every file */
	ATH_LINT_NEEDS_ENV,
};

struct ath_lint_rule {
	const char *name;
	enum ath_lint_level level;
	enum ath_lint_need need;
	enum ath_lint_database only; /* ANY: whatever it runs on */
	void (*check)(struct ath_lint_run *run);
};

/* An effect of one revision's upgrade() or downgrade(). */
struct ath_lint_touch {
	const struct ath_effect *effect;
	size_t revision;
	size_t place;    /* in the order in which they run: of downgrades the head's is first */
	size_t idx;      /* within its revision */
	bool is_derived; /* it comes with its table's being made, dropped or renamed */
};

/* Touches by key, then in the order in which they run. */
struct ath_lint_touches {
	const struct ath_lint_touch *items;
	size_t len;
};

struct ath_lint_found {
	struct ath_lint_finding finding;
	size_t place; /* for the order of the report */
	size_t serial;
};

struct ath_lint_run {
	const struct ath_lint_subject *subject;
	struct ath_arena *arena;
	const struct ath_lint_rule *rule;     /* the one that is asked now */
	ATH_VEC(struct ath_lint_found) found; /* owned */
	struct ath_lint_touches ups, downs;   /* NEEDS_TEXTS */
	const bool *hides;                    /* by place: it, or one before it, hides something */
};

/* Add a finding of the rule that is asked now, in the file of that revision. */
void ath_lint_add(struct ath_lint_run *run, size_t revision, unsigned line, const char *format, ...)
	ATH_PRINTF(4, 5);

/* As ath_lint_add, at another level than the rule's, or in env.py (ATH_LINT_NO_REVISION). */
void ath_lint_add_at(struct ath_lint_run *run, enum ath_lint_level level, size_t revision,
		     unsigned line, const char *format, ...) ATH_PRINTF(5, 6);

/* "ID (FILE:LINE)" of a revision, in the arena; the file without its folder. */
const char *ath_lint_place(struct ath_lint_run *run, size_t revision, unsigned line);

/* The last part of a path. */
const char *ath_lint_base_name(const char *path);

/* Gather ups, downs and hides. */
void ath_lint_gather(struct ath_lint_run *run);

/* Does the upgrade of that revision add the element of that key? A rename does not count. */
bool ath_lint_makes(const struct ath_lint_run *run, size_t revision, const char *key);

/* Rules about the graph and the files' names. */
void ath_lint_duplicate_id(struct ath_lint_run *run);
/* A parent or dependency that no file has. */
void ath_lint_missing_parent(struct ath_lint_run *run);
/* A label twice, or one that is an id. */
void ath_lint_label_twice(struct ath_lint_run *run);
/* Revisions that need each other. */
void ath_lint_cycle(struct ath_lint_run *run);
/* A file that assigns no revision. */
void ath_lint_no_revision(struct ath_lint_run *run);
/* More than one head. */
void ath_lint_several_heads(struct ath_lint_run *run);
/* An id that the version table cuts off or refuses. */
void ath_lint_long_id(struct ath_lint_run *run);
/* Sorted by name the files are not in the order of the chain. */
void ath_lint_file_order(struct ath_lint_run *run);
/* File names that do not tell the id. */
void ath_lint_file_name(struct ath_lint_run *run);

/* Rules about effects: a table or column that is added twice. */
void ath_lint_same_effect_twice(struct ath_lint_run *run);
/* Something is changed that no revision makes. */
void ath_lint_unmade(struct ath_lint_run *run);
/* No downgrade(), or an empty one. */
void ath_lint_downgrade_missing(struct ath_lint_run *run);
/* A downgrade drops what its upgrade did not make. */
void ath_lint_downgrade_unmade(struct ath_lint_run *run);
/* Two downgrades drop the same. */
void ath_lint_downgrade_twice(struct ath_lint_run *run);

/* Rules about one file each: a NOT NULL column for a table with rows. */
void ath_lint_not_null(struct ath_lint_run *run);
/* What SQLite does in a batch only. */
void ath_lint_alter_without_batch(struct ath_lint_run *run);
/* A batch that copies a table to which others refer. */
void ath_lint_batch_rebuild(struct ath_lint_run *run);
/* What cannot be taken back with the rest of the revision. */
void ath_lint_commits_apart(struct ath_lint_run *run);
/* Rows, columns or tables that are lost or overwritten. */
void ath_lint_destroys_data(struct ath_lint_run *run);
/* op or context is used when the file is loaded. */
void ath_lint_module_use(struct ath_lint_run *run);
/* A module that has to be installed is imported when the file is loaded. */
void ath_lint_third_party_import(struct ath_lint_run *run);

/* Rules about env.py: a URL whose percent signs are read as interpolation. */
void ath_lint_percent_in_url(struct ath_lint_run *run);
/* One transaction for each migration. */
void ath_lint_transaction_per_migration(struct ath_lint_run *run);

/* Does a text of env.py speak of the version table's column, and so perhaps widen it? */
bool ath_lint_env_widens(const struct ath_lint_run *run);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * engine/step: the step-type interface and the look-up in the table it is given.
 *
 * Step types are C, step instances come from the recipe. A step never touches journal, scheduler,
 * terminal or another step; it speaks through its handle only.
 *
 * Life of an instance: its configuration is bound by the type's fields; its probe is asked for the
 * plan, and again when its turn comes if a step before it has run; if it runs, `start` is called once
 * per attempt and ends in exactly one ath_step_done() or ath_step_fail(), never from inside start
 * unless said otherwise (both may be called there: the engine defers).
 */
#ifndef ATH_ENGINE_STEP_H
#define ATH_ENGINE_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"
#include "base/meter.h"
#include "base/pairs.h"
#include "base/redact.h"
#include "base/str.h"
#include "os/child.h"
#include "os/environ.h"
#include "plan/make.h"

struct ath_step;

/* Finds the newest note of that name that any step of an earlier or this run has recorded. */
typedef bool ath_step_note_fn(void *user, const char *name, struct ath_pairs *out);

/* What a step may know of its surroundings; the same for looking and for running. */
struct ath_step_world {
	const char *root;      /* absolute path of the application's folder */
	const char *state_dir; /* absolute path of the state directory */
	const char *run_dir;   /* folder of this run below it; NULL while only looking */
	const char *run;       /* mark of this run; NULL while only looking */
	const struct ath_environ *environment; /* that children get */
	struct ath_pairs *facts;               /* known so far; probes add to it */
	uint64_t lock_timeout_ms;              /* how long to wait for another's lock */
	const char *assume_revision;           /* --assume-revision, or NULL */
	bool repairs_only;                     /* make the version rows true, upgrade nothing */
	bool allow_new_database;               /* --allow-new-database */
	bool allow_row_loss;                   /* --allow-row-loss */
	bool keeps_none; /* --no-backup: nothing is kept of the state before */
	bool is_online;  /* the application goes on using its database */
	ath_step_note_fn *find_note;
	void *notes;               /* for find_note and learn */
	struct ath_redact *redact; /* what no output shows; NULL: nothing */
	/* Add to `redact` what has become known since; called around each step. May be NULL. */
	void (*learn)(void *notes);
};

/* What a probe saw. */
struct ath_step_look {
	enum ath_probe probe;
	char detail[240];       /* what is missing, for people; may stay empty */
	struct ath_err refusal; /* set if it is certain already that the run must refuse */
};

struct ath_step_type {
	const char *name;
	const char *summary;            /* one sentence */
	const struct ath_field *fields; /* of the configuration; ends with a zeroed row */
	size_t config_size;
	bool uses_job;   /* counts against --jobs */
	bool only_looks; /* its success changes nothing of the application's */

	/* Append what the fingerprint is taken of, beside the configuration. Reads only. May be NULL. */
	void (*inputs)(const struct ath_step_world *world, const void *config, struct ath_str *out);
	/*
	 * Is the effect there? Cheap: a few stats and small files, no child, no writes. Sets facts
	 * that steps behind it need. `out` is zeroed (ABSENT).
	 */
	void (*probe)(const struct ath_step_world *world, const void *config,
		      struct ath_step_look *out);
	/* Do it. */
	void (*start)(struct ath_step *step);
	/* A wish to end; the end still comes. Children are ended by the engine. May be NULL. */
	void (*cancel)(struct ath_step *step, bool at_once);
};

/*
 * A section: a run of steps that share one resource and count as one unit. `close` (all went well)
 * and `abandon` (undo) run on another thread when no step of the section runs.
 */
struct ath_section_type {
	const char *name;
	/* The resource, before the first step of the section starts; opens nothing dangerous yet. */
	void *(*open)(const struct ath_step_world *world);
	bool (*close)(void *work, struct ath_err *err);
	bool (*abandon)(void *work, struct ath_err *err);
	/* What the database is after close or abandon: unchanged, upgraded, created, needs-you. */
	const char *(*verdict)(const void *work);
	void (*free)(void *work);
};

/* All that a build knows; the lists end with NULL. */
struct ath_step_table {
	const struct ath_step_type *const *types;
	const struct ath_section_type *const *sections;
};

/* The type of that name, or NULL. */
const struct ath_step_type *ath_step_find_type(const struct ath_step_table *table,
					       const char *name);

/* The section type of that name, or NULL. */
const struct ath_section_type *ath_step_find_section(const struct ath_step_table *table,
						     const char *name);

/* ---- the handle of a running step ---- */

/* Its name in the plan. */
const char *ath_step_name(const struct ath_step *step);

/* Its configuration, bound by the type's fields. */
const void *ath_step_config(const struct ath_step *step);

/* Its surroundings. */
const struct ath_step_world *ath_step_world(const struct ath_step *step);

/* Memory that lives until this attempt has ended. */
struct ath_arena *ath_step_arena(struct ath_step *step);

/* The attempt's own data: `size` zeroed bytes at the first call, the same at later calls. */
void *ath_step_data(struct ath_step *step, size_t size);

/* The resource of its section; NULL outside of one. */
void *ath_step_section(struct ath_step *step);

/*
 * Texts and the output of children are masked (base/redact) before they go anywhere: into the log,
 * to the screen, into the journal, and to the step's own on_output and on_error_output. Replies are
 * for the step alone and come as they are.
 */

/* Say on the screen what is being done, in a few words. */
void ath_step_say(struct ath_step *step, const char *format, ...) ATH_PRINTF(2, 3);

/* Append a formatted line to STEP.log; the line end is added. */
void ath_step_logf(struct ath_step *step, const char *format, ...) ATH_PRINTF(2, 3);

/* As ath_step_logf, but the line waits for the first other byte; a log of such lines alone is not made. */
void ath_step_log_held(struct ath_step *step, const char *format, ...) ATH_PRINTF(2, 3);

/* Add a fact, for the conditions of later steps and for the record. */
void ath_step_fact(struct ath_step *step, const char *name, const char *value);

typedef void ath_step_fn(struct ath_step *step);

/* Record a note; `on_durable` (may be NULL) comes when it cannot be lost any more. */
void ath_step_record(struct ath_step *step, const char *name, const struct ath_pairs *pairs,
		     ath_step_fn *on_durable);

/* Fill `out` with the newest note of that name; false if there is none. */
bool ath_step_past(const struct ath_step *step, const char *name, struct ath_pairs *out);

/* One line of the reply pipe, without its end. */
typedef void ath_step_line_fn(struct ath_step *step, const char *line, size_t len);
/* A child of the step is complete. */
typedef void ath_step_exit_fn(struct ath_step *step, const struct ath_child_result *result);

/* A child to run for a step; borrowed for the call. */
struct ath_step_command {
	const char *const *argv;
	const char *cwd;                       /* NULL: the application's folder */
	const struct ath_environ *environment; /* NULL: the world's */
	ath_step_line_fn *on_line;             /* NULL: no reply pipe; lines over 1 MiB are cut */
	ath_step_line_fn *on_output;           /* also receives each line of stdout; may be NULL */
	ath_step_line_fn *on_error_output;     /* likewise of stderr */
	uint64_t timeout_ms;                   /* of this child alone; 0: none */
	ath_step_exit_fn *on_exit;
};

/*
 * Run a child; its output goes to STEP.log. One child at a time per step. On true `on_exit` comes
 * exactly once, also after a cancellation.
 * Fails with: what ath_child_start fails with.
 */
ATH_NODISCARD bool ath_step_exec(struct ath_step *step, const struct ath_step_command *command,
				 struct ath_err *err);

/* Runs on another thread; touches only what it was given. */
typedef bool ath_step_work_fn(void *data, struct ath_err *err);
/* The work has ended; `err` is clean if it returned true. */
typedef void ath_step_worked_fn(struct ath_step *step, const struct ath_err *err);

/* Run blocking work. One at a time per step. */
void ath_step_work(struct ath_step *step, ath_step_work_fn *work, void *data,
		   ath_step_worked_fn *on_done);

/*
 * From now on, while blocking work runs, what `meter` says is told (after a second, then
 * ever more seldom, at least every ten), and the meter is
 * called off when the step is asked to end. Borrowed until this attempt has ended.
 */
void ath_step_watch(struct ath_step *step, struct ath_meter *meter);

/* Has the step been asked to end? */
bool ath_step_is_cancelled(const struct ath_step *step);

/* The step has succeeded. The last call on this handle. */
void ath_step_done(struct ath_step *step);

/* The step has failed. The last call on this handle. */
void ath_step_fail(struct ath_step *step, const struct ath_err *err);

/*
 * Turn a child's result into an error that says how `what` ended (exit status, signal, time-out);
 * returns true, with `err` untouched, if it exited with 0.
 */
ATH_NODISCARD bool ath_step_check_exit(const struct ath_child_result *result, const char *what,
				       struct ath_err *err);

#endif

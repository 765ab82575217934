/* SPDX-License-Identifier: MIT */
/*
 * facts/python: interpreters and virtual environments, as far as files tell; starts no process.
 */
#ifndef ATH_FACTS_PYTHON_H
#define ATH_FACTS_PYTHON_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum ath_venv_state {
	ATH_VENV_ABSENT,
	ATH_VENV_BROKEN,  /* `detail` says why: moved folder, other Python, half-made, ... */
	ATH_VENV_UNKNOWN, /* it could not be looked at (an I/O error, no descriptor): `detail` */
	ATH_VENV_HEALTHY,
	ATH_VENV_COUNT_
};

struct ath_venv {
	enum ath_venv_state state;
	char detail[200];
	char version[32]; /* "3.11.2" as pyvenv.cfg says; "" if it does not */
	bool is_ours;     /* made by athanor: it carries our mark */
	bool is_foreign;  /* BROKEN: nothing says that this ever was a virtual environment */
};

/*
 * Look at the folder `path` (absolute): pyvenv.cfg, whether bin/python leads to an executable of the
 * version that pyvenv.cfg and lib/pythonX.Y say, whether the scripts in bin/ name this very folder,
 * and whether a marker says that its making was interrupted.
 */
void ath_venv_look(const char *path, struct ath_venv *out);

/* Path of the mark that stands in an environment while it is being made; owned. */
char *ath_venv_building_mark(const char *path);

/* Path of the mark that an environment made by athanor keeps; owned. */
char *ath_venv_made_mark(const char *path);

/* Path of the folder lib/pythonX.Y/site-packages of an environment; owned, NULL if it has none. */
char *ath_venv_find_packages(const char *path);

/*
 * Append a text that changes when the program behind `path` changes: real path, size, time of its
 * last change. An absent one appends the path and "-".
 */
void ath_python_put_identity(const char *path, struct ath_str *out);

/*
 * Does a version such as "3.11.2" meet a specification such as ">=3.11,<3.14"? NULL: any from 3.8.
 *
 * Only as many parts are compared as a clause states, so that 3.11.2 meets "==3.11" and "<=3.11",
 * and does not meet ">3.11". A number alone means this or newer.
 */
bool ath_python_meets(const char *version, const char *specification);

/*
 * Distributions in an environment's site-packages whose files are not all there (a killed pip or
 * uv leaves such): appends their names ("requests-2.31.0"), one per line; returns how many. The
 * check reads RECORD of each *.dist-info, which pip writes last: without it nothing is certain. A
 * file that is empty and should not be counts as missing; compiled code does not count.
 */
size_t ath_venv_find_incomplete(const char *path, struct ath_str *out_names);

#endif

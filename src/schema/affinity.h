/* SPDX-License-Identifier: MIT */
/*
 * schema/affinity: the family of a declared type, by SQLite's rules ("Datatypes In SQLite", section
 * 3.1: determination of column affinity).
 */
#ifndef ATH_SCHEMA_AFFINITY_H
#define ATH_SCHEMA_AFFINITY_H

enum ath_affinity {
	ATH_AFFINITY_INTEGER,
	ATH_AFFINITY_TEXT,
	ATH_AFFINITY_BLOB,
	ATH_AFFINITY_REAL,
	ATH_AFFINITY_NUMERIC,
	ATH_AFFINITY_COUNT_
};

/* The affinity of a declared type in upper case; NULL and "" are BLOB. */
enum ath_affinity ath_affinity_of(const char *type);

#endif

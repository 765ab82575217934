/* SPDX-License-Identifier: MIT */
/*
 * facts/chain_place: where a project's Alembic files are, and who may be asked about them.
 */
#ifndef ATH_FACTS_CHAIN_PLACE_H
#define ATH_FACTS_CHAIN_PLACE_H

#include "base/field.h"

struct ath_facts_reader;

/* Where a project's Alembic files are. */
struct ath_facts_chain_place {
	const char *root;    /* the application's folder */
	const char *alembic; /* alembic.ini or pyproject.toml, relative to it */
	const char *section;
	/* Version folders (absolute) that an earlier run learned from Alembic; used where the ini
	 * does not say them literally. */
	struct ath_texts known;
	/* Who reads what the files do not say literally, and where answers are kept; without an
	 * interpreter: what is kept alone. NULL: the literal files alone. */
	const struct ath_facts_reader *reader;
};

#endif

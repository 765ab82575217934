/* SPDX-License-Identifier: MIT */
/*
 * recipe/version: the syntax of a demand on a version, such as ">=3.11,<3.14".
 *
 *	demand := clause { "," clause }
 *	clause := [ ">=" | "<=" | "==" | "!=" | ">" | "<" | "~=" ] number { "." number } [ ".*" ]
 *
 * ".*" follows == and != only. A number alone means "this or newer": what a person who writes
 * "3.11" is sure of is that it works from there on.
 */
#ifndef ATH_RECIPE_VERSION_H
#define ATH_RECIPE_VERSION_H

#include "base/arena.h"

/* The demand without blanks, each clause with its operator, in `arena`; NULL if it is none. */
const char *ath_version_read(const char *text, struct ath_arena *arena);

#endif

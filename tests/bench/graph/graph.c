/* SPDX-License-Identifier: MIT */
/*
 * bench/graph: the heads of a chain, read by facts/chain as every command reads it.
 *
 *	graph FOLDER [HANDICAP_US]	FOLDER holds alembic.ini; the handicap is slept per revision
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "facts/chain.h"

static void sleep_us(long us)
{
	struct timespec wait = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&wait, NULL);
}

int main(int argc, char **argv)
{
	struct ath_facts_chain_place place = { .alembic = "alembic.ini", .section = "alembic" };
	struct ath_facts_chain chain = { 0 };
	struct ath_err err = { 0 };

	if (argc < 2)
		return 64;
	place.root = argv[1];
	if (!ath_facts_chain_load(&place, &chain, &err) || !chain.is_static) {
		fprintf(stderr, "%s\n", chain.obstacle ? chain.obstacle : err.msg);
		return 1;
	}
	for (size_t i = 0; argc > 2 && i < chain.chain.len; i++)
		sleep_us(atol(argv[2]));
	printf("%zu %s\n", chain.chain.len, ath_facts_chain_heads(&chain));
	ath_facts_chain_fini(&chain);
	return 0;
}

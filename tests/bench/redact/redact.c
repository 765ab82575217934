/* SPDX-License-Identifier: MIT */
/*
 * bench/redact: what masking costs, in milliseconds of processor time per MB of output.
 *
 *	redact	prints a table: numbers of secrets by kinds of output
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/redact.h"

enum {
	BLOCK = 1 << 16, /* what one read gives */
	BLOCKS = 1600,   /* 100 MiB */
};

static const char *const lines[] = {
	"[INFO] building package number 17 of 300: compiling sources with the compiler\n",
	"Collecting package==1.2.3 from https://host/x (from -r requirements.txt (line 4))\n",
	NULL, /* hexadecimal digits, which generated secrets are made of, too */
};

static char digit(void)
{
	return "0123456789abcdef"[rand() % 16];
}

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static struct ath_redact *make_set(size_t secrets)
{
	struct ath_redact *set = ath_redact_new();
	char secret[65] = "";

	for (size_t i = 0; i < secrets; i++) {
		for (size_t at = 0; at < sizeof(secret) - 1; at++)
			secret[at] = digit();
		ath_redact_add(set, secret);
	}
	return set;
}

static double measure(struct ath_redact *set, const char *line)
{
	struct ath_redact_flow flow = { .set = set };
	static char block[BLOCK];
	struct ath_str out = { 0 };
	double since;

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = line ? line[i % strlen(line)] : digit();
	ath_redact_feed(&flow, block, BLOCK, &out);
	since = now_ms();
	for (size_t i = 0; i < BLOCKS; i++) {
		ath_str_reset(&out);
		ath_redact_feed(&flow, block, BLOCK, &out);
	}
	since = now_ms() - since;
	ath_redact_finish(&flow, false, &out);
	ath_str_fini(&out);
	return since * 1e6 / ((double)BLOCK * BLOCKS);
}

int main(void)
{
	static const size_t counts[] = { 0, 5, 20, 100 };

	puts("secrets  plain lines  lines with a URL  hexadecimal digits   (ms per MB)");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct ath_redact *set = make_set(counts[i]);

		printf("%7zu  %11.2f  %16.2f  %18.2f\n", counts[i], measure(set, lines[0]),
		       measure(set, lines[1]), measure(set, lines[2]));
		ath_redact_free(set);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* cli/screen: the one door to stdout and stderr, where secrets are masked. */
#include "cli/screen.h"

static struct ath_redact *hidden;

void ath_screen_hide(struct ath_redact *set)
{
	hidden = set;
}

static void write_out(struct ath_str *text, FILE *stream)
{
	fwrite(ath_str_get(text), 1, text->len, stream);
	ath_str_reset(text);
}

void ath_screen_write(const char *text, size_t len, bool to_stderr)
{
	FILE *stream = to_stderr ? stderr : stdout;
	struct ath_str shown = { 0 };

	ath_redact_put(hidden, text, len, &shown);
	write_out(&shown, stream);
	fflush(stream);
	ath_str_fini(&shown);
}

void ath_screen_mask(struct ath_err *err)
{
	ath_redact_err(hidden, err);
}

void ath_screen_copy(FILE *file)
{
	struct ath_redact_flow flow = { .set = hidden };
	struct ath_str shown = { 0 };
	char buffer[65536];
	size_t len;

	while ((len = fread(buffer, 1, sizeof(buffer), file)) > 0) {
		ath_redact_feed(&flow, buffer, len, &shown);
		write_out(&shown, stdout);
	}
	ath_redact_finish(&flow, false, &shown);
	write_out(&shown, stdout);
	ath_str_fini(&shown);
}

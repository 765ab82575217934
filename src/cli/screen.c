/* SPDX-License-Identifier: MIT */
/* cli/screen: the one door to stdout and stderr, where secrets are masked. */
#include "cli/screen.h"

#include <string.h>

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

/* Names and ids from files stand in many texts: no byte of them acts on the terminal. */
static void put_lines(const struct ath_str *text, struct ath_str *out)
{
	const char *at = ath_str_get(text), *end = at + text->len;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);

		ath_str_put_clean(out, at, len);
		if (stop)
			ath_str_putc(out, '\n');
		at += len + (stop != NULL);
	}
}

void ath_screen_write(const char *text, size_t len, bool to_stderr)
{
	FILE *stream = to_stderr ? stderr : stdout;
	struct ath_str shown = { 0 }, clean = { 0 };

	ath_redact_put(hidden, text, len, &shown);
	put_lines(&shown, &clean);
	write_out(&clean, stream);
	fflush(stream);
	ath_str_fini(&clean);
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

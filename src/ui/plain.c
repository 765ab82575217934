/* SPDX-License-Identifier: MIT */
/* ui/plain: a run as plain lines on stderr. */
#include "ui/plain.h"

#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"

/* How a state is shown; a state that is not listed is not. */
static const struct look {
	const char *state;
	const char *word;
	bool only_verbose; /* not worth a line by itself */
	bool is_failure;
} looks[] = {
	{ "running", "start", true, false },   { "succeeded", "done", false, false },
	{ "satisfied", "ok", false, false },   { "skipped", "skip", true, false },
	{ "failed", "FAILED", false, true },   { "cancelled", "stopped", false, true },
	{ "blocked", "blocked", true, false }, { "waiting_retry", "failed", false, true },
};

static const struct look *find_look(const char *state)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (strcmp(looks[i].state, state) == 0)
			return &looks[i];
	}
	return NULL;
}

static void put_line(const struct ath_ui_plain *ui, struct ath_str *line)
{
	struct ath_str shown = { 0 };

	ath_str_putc(line, '\n');
	ath_redact_put(ui->hidden, line->data, line->len, &shown);
	fwrite(ath_str_get(&shown), 1, shown.len, stderr);
	ath_str_fini(&shown);
	ath_str_fini(line);
}

static bool is_shown(const struct ath_ui_plain *ui, const struct look *look,
		     const struct ath_event *event)
{
	bool never_began = strcmp(event->state, "cancelled") == 0 && !event->attempt;

	if (ui->is_quiet)
		return look->is_failure && !never_began;
	return ui->is_verbose || (!look->only_verbose && !never_began);
}

static void show_state(const struct ath_ui_plain *ui, const struct ath_event *event)
{
	const struct look *look = find_look(event->state);
	struct ath_str line = { 0 };

	if (!look || !is_shown(ui, look, event))
		return;
	ath_str_printf(&line, "  %-8s%-16s", look->word, event->step);
	if (strcmp(look->word, "done") == 0)
		ath_time_put_duration(&line, event->ms);
	else if (event->reason)
		ath_str_put_clean(&line, event->reason, strlen(event->reason));
	if (look->is_failure && event->is_optional)
		ath_str_puts(&line, " (optional: the installation goes on)");
	put_line(ui, &line);
}

static void show_progress(const struct ath_ui_plain *ui, const struct ath_event *event)
{
	struct ath_str line = { 0 };

	if (ui->is_quiet)
		return;
	ath_str_printf(&line, "  %-8s%-16s", "...", event->step);
	ath_str_put_clean(&line, event->text, strlen(event->text));
	put_line(ui, &line);
}

void ath_ui_plain(void *user, const struct ath_event *event)
{
	const struct ath_ui_plain *ui = user;

	if (event->kind == ATH_EVENT_STATE)
		show_state(ui, event);
	else if (event->kind == ATH_EVENT_PROGRESS)
		show_progress(ui, event);
}

/* SPDX-License-Identifier: MIT */
/*
 * ui/plain: a run as plain lines on stderr, one per thing that a person wants to know.
 */
#ifndef ATH_UI_PLAIN_H
#define ATH_UI_PLAIN_H

#include "engine/event.h"

/* What the lines need to know. */
struct ath_ui_plain {
	bool is_verbose;           /* also says when steps start and what is skipped */
	bool is_quiet;             /* failures and the end only */
	struct ath_redact *hidden; /* borrowed; what no line shows */
};

/* Consumer of events; `user` is a struct ath_ui_plain. */
void ath_ui_plain(void *user, const struct ath_event *event);

#endif

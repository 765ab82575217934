/* SPDX-License-Identifier: MIT */
/*
 * ui/json: a run as JSON lines on stderr, one object per event (docs/json.md, "events").
 */
#ifndef ATH_UI_JSON_H
#define ATH_UI_JSON_H

#include "engine/event.h"

/* Consumer of events; `user` is a struct ath_redact, what no line shows, or NULL. */
void ath_ui_json(void *user, const struct ath_event *event);

#endif

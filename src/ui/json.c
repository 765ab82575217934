/* SPDX-License-Identifier: MIT */
/* ui/json: a run as JSON lines on stderr. */
#include "ui/json.h"

#include <stdio.h>

#include "base/json.h"
#include "base/redact.h"

static const char *const kinds[] = {
	[ATH_EVENT_RUN_BEGAN] = "run_began",
	[ATH_EVENT_STATE] = "state",
	[ATH_EVENT_PROGRESS] = "progress",
	[ATH_EVENT_RUN_ENDED] = "run_ended",
};

static void put_state(struct ath_json *json, const struct ath_event *event)
{
	ath_json_put_text(json, "step", event->step);
	ath_json_put_text(json, "state", event->state);
	ath_json_put_text(json, "reason", event->reason);
	ath_json_put_int(json, "attempt", event->attempt);
	ath_json_put_int(json, "ms", (int64_t)event->ms);
	ath_json_put_int(json, "done", (int64_t)event->done);
	ath_json_put_int(json, "total", (int64_t)event->total);
}

static void put_end(struct ath_json *json, const struct ath_report *report)
{
	bool has_failed = report->cause.code != ATH_ERR_OK;

	ath_json_put_text(json, "outcome", report->outcome);
	ath_json_put_int(json, "exit_status", report->exit_status);
	ath_json_put_text(json, "step", report->step[0] ? report->step : NULL);
	ath_json_put_text(json, "code", has_failed ? ath_err_name(report->cause.code) : NULL);
	ath_json_put_text(json, "cause", has_failed ? report->cause.msg : NULL);
	ath_json_put_text(json, "database", report->database[0] ? report->database : NULL);
	ath_json_put_text(json, "log", report->log[0] ? report->log : NULL);
	ath_json_put_int(json, "ms", (int64_t)report->ms);
}

static void put_progress(struct ath_json *json, const struct ath_event *event)
{
	const struct ath_meter_reading *reading = event->reading;
	uint64_t left;

	ath_json_put_text(json, "step", event->step);
	ath_json_put_text(json, "text", event->text);
	if (!reading)
		return;
	left = ath_meter_left_ms(reading);
	ath_json_put_text(json, "activity", reading->what);
	ath_json_put_int(json, "bytes", (int64_t)reading->done);
	ath_json_put_int(json, "bytes_total", (int64_t)reading->total);
	ath_json_put_int(json, "bytes_per_second", (int64_t)ath_meter_rate(reading));
	if (left != UINT64_MAX)
		ath_json_put_int(json, "left_ms", (int64_t)left);
}

void ath_ui_json(void *user, const struct ath_event *event)
{
	struct ath_str line = { 0 }, at = { 0 }, shown = { 0 };
	struct ath_json json = { .out = &line };

	ath_time_put_wall(&at, event->at);
	ath_json_open(&json, '{');
	ath_json_put_text(&json, "event", kinds[event->kind]);
	ath_json_put_text(&json, "at", ath_str_get(&at));
	ath_json_put_text(&json, "run", event->run);
	if (event->kind == ATH_EVENT_STATE)
		put_state(&json, event);
	if (event->kind == ATH_EVENT_PROGRESS)
		put_progress(&json, event);
	if (event->kind == ATH_EVENT_RUN_ENDED)
		put_end(&json, event->report);
	ath_json_close(&json, '}');
	ath_str_putc(&line, '\n');
	ath_redact_put(user, line.data, line.len, &shown);
	fwrite(ath_str_get(&shown), 1, shown.len, stderr);
	ath_str_fini(&shown);
	ath_str_fini(&line);
	ath_str_fini(&at);
}

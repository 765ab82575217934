/* SPDX-License-Identifier: MIT */
/* cli/inspect_print: the result of inspect for people; the answer stands in the first line. */
#include <stdarg.h>
#include <string.h>

#include "cli/inspection.h"

enum {
	LINES_MAX = 8, /* of one list; the others are counted */
};

/* Names come out of a database and of files: nothing of them may steer a terminal. */
static ATH_PRINTF(3, 4) void put(struct ath_str *out, const char *label, const char *format, ...)
{
	struct ath_str line = { 0 };
	va_list args;

	va_start(args, format);
	ath_str_vprintf(&line, format, args);
	va_end(args);
	ath_str_printf(out, "%-10s", label);
	ath_str_put_clean(out, ath_str_get(&line), line.len);
	ath_str_putc(out, '\n');
	ath_str_fini(&line);
}

/* What is not shown of a list. */
static void put_rest(struct ath_str *out, size_t len)
{
	if (len > LINES_MAX)
		put(out, "", "... and %zu more", len - LINES_MAX);
}

static const char *half_of(const struct ath_inspection *inspection)
{
	const struct ath_chain *chain = &inspection->chain.chain;
	size_t revision = inspection->found.result.half.revision;

	return revision < chain->len ? chain->entries[revision].id : NULL;
}

/* Where it stands, where that is known. */
static void put_place(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_inference *result = &inspection->found.result;
	const char *half = half_of(inspection);

	if (result->inferred)
		ath_str_printf(out, "at %s", result->inferred);
	else
		ath_str_puts(out, "before the first revision");
	if (half)
		ath_str_printf(out, ", with part of %s", half);
	else if (result->inferred && !result->pending.len)
		ath_str_puts(out, ", the head");
	if (result->lowest && result->highest && !ath_str_is(result->lowest, result->highest))
		ath_str_printf(out, ", alike from %s to %s",
			       result->lowest[0] ? result->lowest : "the beginning",
			       result->highest);
}

static void put_answer(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_inference *result = &inspection->found.result;
	const char *verdict = ath_verdict_name(result->verdict);
	struct ath_str line = { 0 };

	ath_str_printf(&line, "%s: ", inspection->project->recipe.name);
	switch (result->decision) {
	case ATH_DECISION_INIT:
		ath_str_puts(&line, "there is no database yet");
		break;
	case ATH_DECISION_REFUSE:
		ath_str_puts(&line, inspection->found.look.state == ATH_LOOK_LOCKED
					    ? "its database is locked by another process"
					    : "its database is refused");
		break;
	case ATH_DECISION_ASK:
		ath_str_puts(&line, "a person has to decide about its database");
		break;
	default:
		ath_str_puts(&line, "its database is ");
		put_place(inspection, &line);
		break;
	}
	ath_str_printf(&line, " (%s)", verdict);
	ath_str_put_clean(out, ath_str_get(&line), line.len);
	ath_str_putc(out, '\n');
	ath_str_fini(&line);
}

static const char *join(const struct ath_texts *texts, struct ath_str *joined)
{
	for (size_t i = 0; i < texts->len && i < LINES_MAX; i++)
		ath_str_printf(joined, "%s%s", i ? ", " : "", texts->items[i]);
	if (texts->len > LINES_MAX)
		ath_str_printf(joined, " and %zu more", texts->len - LINES_MAX);
	return ath_str_get(joined);
}

static void put_list(struct ath_str *out, const char *label, const char *what,
		     const struct ath_texts *texts)
{
	struct ath_str joined = { 0 };

	if (texts->len)
		put(out, label, "%s%s", what, join(texts, &joined));
	ath_str_fini(&joined);
}

static void put_pending(const struct ath_inference *result, struct ath_str *out)
{
	struct ath_str joined = { 0 };

	if (result->pending.len)
		put(out, "pending:", "%zu revision%s: %s", result->pending.len,
		    result->pending.len == 1 ? "" : "s", join(&result->pending, &joined));
	ath_str_fini(&joined);
}

static void put_stamp(const struct ath_look *look, struct ath_str *out)
{
	struct ath_texts rows = { look->rows, look->rows_len };

	if (look->state != ATH_LOOK_OK)
		return;
	if (look->stamp == ATH_STAMP_NO_TABLE)
		put(out, "stamped:", "no, there is no version table");
	else if (look->stamp == ATH_STAMP_NO_ROWS)
		put(out, "stamped:", "no, the version table is empty");
	put_list(out, "stamped:", "", &rows);
}

static void put_decision(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_inference *result = &inspection->found.result;
	struct ath_str rows = { 0 };

	switch (result->decision) {
	case ATH_DECISION_STAMP:
		put(out, "decision:", "stamp: the version table should hold %s",
		    join(&result->stamp, &rows));
		break;
	case ATH_DECISION_COMPLETE:
		put(out, "decision:", "complete: take back what is there of %s, and run it again",
		    half_of(inspection) ? half_of(inspection) : "the next revision");
		break;
	default:
		put(out, "decision:", "%s", ath_decision_name(result->decision));
		break;
	}
	ath_str_fini(&rows);
}

static void put_evidence(const struct ath_inference *result, struct ath_str *out)
{
	for (size_t i = 0; i < result->evidence_len && i < LINES_MAX; i++) {
		const struct ath_evidence *one = &result->evidence[i];

		put(out, i ? "" : "evidence:", "against %s: %s is %s%s%s%s",
		    one->against[0] ? one->against : "the beginning", one->element,
		    one->found == ATH_FOUND_PRESENT ? "there" : "not there",
		    one->revision ? " (see " : "", one->revision ? one->revision : "",
		    one->revision ? ")" : "");
	}
	put_rest(out, result->evidence_len);
}

static void put_drift(const struct ath_inference *result, struct ath_str *out)
{
	for (size_t i = 0; i < result->drift_len && i < LINES_MAX; i++)
		put(out, i ? "" : "drift:", "%s: %s", result->drift[i].found,
		    result->drift[i].element);
	put_rest(out, result->drift_len);
}

/* Acts in a row that are alike stand in one line. */
static void put_walk(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_chain *chain = &inspection->chain.chain;
	const struct ath_walk *walk = &inspection->walk;
	size_t from = 0, lines = 0;

	while (from < walk->len && lines < LINES_MAX) {
		const struct ath_walk_step *first = &walk->steps[from];
		size_t len = 1;

		while (first->act == ATH_WALK_RUN && from + len < walk->len &&
		       walk->steps[from + len].act == ATH_WALK_RUN)
			len++;
		put(out, lines++ ? "" : "walk:", "%s %s%s%s%s%s", ath_walk_act_name(first->act),
		    chain->entries[first->revision].id, len > 1 ? " to " : "",
		    len > 1 ? chain->entries[first[len - 1].revision].id : "",
		    first->reason ? ": " : "", first->reason ? first->reason : "");
		from += len;
	}
	put_rest(out, from < walk->len ? LINES_MAX + walk->len - from : 0);
}

void ath_inspect_put_plan(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_inference *result = &inspection->found.result;

	put_answer(inspection, out);
	put(out, "database:", "%s", inspection->path);
	put_stamp(&inspection->found.look, out);
	put(out, "reason:", "%s", result->reason ? result->reason : "");
	put_pending(result, out);
	put_decision(inspection, out);
	put_list(out, "", "declared done with its data steps: ", &result->passed_over);
	if (result->decision == ATH_DECISION_ASK)
		put_list(out, "may be:", "at ", &result->candidates);
	put_walk(inspection, out);
	if (result->blind)
		put(out, "blind:",
		    "%zu of %zu revisions cannot be read from their text, and give no evidence",
		    result->blind, inspection->chain.chain.len);
	put(out, inspection->project->world.repairs_only ? "repair:" : "install:", "%s",
	    inspection->install);
}

void ath_inspect_put(const struct ath_inspection *inspection, struct ath_str *out)
{
	const struct ath_inference *result = &inspection->found.result;

	ath_inspect_put_plan(inspection, out);
	put(out, "chain:", "%zu revisions in %s, head %s", inspection->chain.chain.len,
	    inspection->project->root, inspection->heads);
	put_evidence(result, out);
	put_drift(result, out);
	if (inspection->by_hand)
		put(out, "by hand:", "%s", inspection->by_hand);
}

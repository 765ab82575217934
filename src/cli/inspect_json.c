/* SPDX-License-Identifier: MIT */
/* cli/inspect_json: the result of inspect as one JSON object (docs/json.md). */
#include <string.h>

#include "cli/inspection.h"
#include "cli/print.h"
#include "cli/result.h"

/* The heads, or any list that is joined by commas, one by one. */
static void put_heads(struct ath_json *json, const struct ath_chain *chain)
{
	ath_json_key(json, "heads");
	ath_json_open(json, '[');
	for (size_t i = 0; i < chain->heads.len; i++)
		ath_json_text(json, chain->entries[chain->heads.items[i]].id);
	ath_json_close(json, ']');
}

static void put_database(struct ath_json *json, const struct ath_inspection *inspection)
{
	const struct ath_look *look = &inspection->found.look;

	ath_json_key(json, "database");
	ath_json_open(json, '{');
	ath_json_put_text(json, "kind", "sqlite");
	ath_json_put_text(json, "path", inspection->path);
	ath_json_put_text(json, "state", ath_look_state_name(look->state));
	ath_json_put_text(json, "journal_mode", look->journal_mode[0] ? look->journal_mode : NULL);
	ath_json_close(json, '}');
}

static void put_stamp(struct ath_json *json, const struct ath_inspection *inspection)
{
	const struct ath_look *look = &inspection->found.look;
	const struct ath_texts *stamp = &inspection->found.result.stamp;
	bool has_rows = (look->state == ATH_LOOK_OK || look->state == ATH_LOOK_EMPTY) &&
			(look->stamp == ATH_STAMP_NO_ROWS || look->stamp == ATH_STAMP_ROWS);

	ath_json_key(json, "stamp");
	ath_json_open(json, '{');
	ath_json_put_text(json, "table", inspection->version_table);
	if (has_rows)
		ath_json_put_texts(json, "rows", look->rows, look->rows_len);
	else
		ath_json_put_text(json, "rows", NULL);
	ath_json_put_texts(json, "to_write", stamp->items, stamp->len);
	ath_json_close(json, '}');
}

static void put_chain(struct ath_json *json, const struct ath_inspection *inspection)
{
	const struct ath_chain *chain = &inspection->chain.chain;

	ath_json_key(json, "chain");
	ath_json_open(json, '{');
	ath_json_put_int(json, "revisions", (int64_t)chain->len);
	put_heads(json, chain);
	ath_json_close(json, '}');
	ath_json_put_text(json, "head", inspection->heads);
}

static void put_revision(struct ath_json *json, const struct ath_inference *result)
{
	const char *ends[] = { result->lowest ? result->lowest : result->inferred,
			       result->highest ? result->highest : result->inferred };

	ath_json_key(json, "revision");
	ath_json_open(json, '{');
	ath_json_put_text(json, "inferred", result->inferred);
	ath_json_put_texts(json, "candidates", result->candidates.items, result->candidates.len);
	if (ends[0] && ends[1])
		ath_json_put_texts(json, "range", ends, 2);
	else
		ath_json_put_text(json, "range", NULL);
	ath_json_put_text(json, "reason", result->reason);
	ath_json_put_text(json, "verdict", ath_verdict_name(result->verdict));
	ath_json_put_int(json, "margin", result->margin);
	ath_json_close(json, '}');
}

/* A key is "KIND NAME". */
static void put_element(struct ath_json *json, const char *key)
{
	const char *blank = strchr(key, ' ');

	ath_json_put_text(json, "element", blank ? blank + 1 : key);
}

static void put_kind(struct ath_json *json, const char *key)
{
	struct ath_str kind = { 0 };

	ath_str_add(&kind, key, strcspn(key, " "));
	ath_json_put_text(json, "kind", ath_str_get(&kind));
	ath_str_fini(&kind);
}

static void put_half(struct ath_json *json, const struct ath_inspection *inspection)
{
	const struct ath_chain *chain = &inspection->chain.chain;
	const struct ath_half *half = &inspection->found.result.half;

	ath_json_key(json, "half");
	if (half->revision >= chain->len) {
		ath_json_text(json, NULL);
		return;
	}
	ath_json_open(json, '{');
	ath_json_put_text(json, "revision", chain->entries[half->revision].id);
	ath_json_key(json, "there");
	ath_json_open(json, '[');
	for (size_t i = 0; i < half->there.len; i++) {
		ath_json_open(json, '{');
		put_element(json, half->there.items[i].key);
		put_kind(json, half->there.items[i].key);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
	ath_json_close(json, '}');
}

static void put_evidence(struct ath_json *json, const struct ath_inference *result)
{
	static const char *const names[] = {
		[ATH_FOUND_PRESENT] = "present",
		[ATH_FOUND_ABSENT] = "absent",
	};

	ath_json_key(json, "evidence");
	ath_json_open(json, '[');
	for (size_t i = 0; i < result->evidence_len; i++) {
		const struct ath_evidence *one = &result->evidence[i];

		ath_json_open(json, '{');
		ath_json_put_text(json, "revision", one->revision);
		put_element(json, one->element);
		put_kind(json, one->element);
		ath_json_put_text(json, "expected", names[one->expected]);
		ath_json_put_text(json, "found", names[one->found]);
		ath_json_put_text(json, "against", one->against);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
}

static void put_drift(struct ath_json *json, const struct ath_inference *result)
{
	ath_json_key(json, "drift");
	ath_json_open(json, '[');
	for (size_t i = 0; i < result->drift_len; i++) {
		ath_json_open(json, '{');
		put_element(json, result->drift[i].element);
		ath_json_put_text(json, "kind", result->drift[i].kind);
		ath_json_put_text(json, "found", result->drift[i].found);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
}

static void put_walk(struct ath_json *json, const struct ath_inspection *inspection)
{
	const struct ath_chain *chain = &inspection->chain.chain;

	ath_json_key(json, "walk");
	ath_json_open(json, '[');
	for (size_t i = 0; i < inspection->walk.len; i++) {
		const struct ath_walk_step *step = &inspection->walk.steps[i];

		ath_json_open(json, '{');
		ath_json_put_text(json, "revision", chain->entries[step->revision].id);
		ath_json_put_text(json, "act", ath_walk_act_name(step->act));
		ath_json_put_text(json, "reason", step->reason);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
}

void ath_inspect_put_plan_json(const struct ath_inspection *inspection, struct ath_json *json)
{
	const struct ath_inference *result = &inspection->found.result;

	put_database(json, inspection);
	put_stamp(json, inspection);
	put_revision(json, result);
	ath_json_put_text(json, "decision", ath_decision_name(result->decision));
	put_walk(json, inspection);
}

void ath_inspect_print_json(const struct ath_inspection *inspection)
{
	const struct ath_inference *result = &inspection->found.result;
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };

	ath_result_open(&json, inspection->project);
	ath_json_put_bool(&json, "changed", false);
	put_database(&json, inspection);
	put_stamp(&json, inspection);
	put_chain(&json, inspection);
	put_revision(&json, result);
	ath_json_put_texts(&json, "pending", result->pending.items, result->pending.len);
	ath_json_put_text(&json, "decision", ath_decision_name(result->decision));
	put_evidence(&json, result);
	put_drift(&json, result);
	put_half(&json, inspection);
	ath_json_put_texts(&json, "passed_over", result->passed_over.items,
			   result->passed_over.len);
	ath_json_put_int(&json, "blind", (int64_t)result->blind);
	put_walk(&json, inspection);
	ath_json_put_text(&json, "install", inspection->install);
	ath_json_put_text(&json, "by_hand", inspection->by_hand);
	ath_json_close(&json, '}');
	ath_str_putc(&text, '\n');
	ath_print_flush(&text, false);
}

/* SPDX-License-Identifier: MIT */
/* cli/revisions_json: the chain and its findings as one JSON object (docs/json.md). */
#include <string.h>

#include "alembic/lint_text.h"
#include "cli/print.h"
#include "cli/result.h"
#include "cli/revisions.h"

static void put_texts(struct ath_json *json, const char *key, const struct ath_texts *texts)
{
	ath_json_key(json, key);
	ath_json_open(json, '[');
	for (size_t i = 0; i < texts->len; i++) {
		if (*texts->items[i])
			ath_json_text(json, texts->items[i]);
	}
	ath_json_close(json, ']');
}

static void put_ids(struct ath_json *json, const char *key, const struct ath_chain *chain,
		    struct ath_chain_list list)
{
	ath_json_key(json, key);
	ath_json_open(json, '[');
	for (size_t i = 0; i < list.len; i++)
		ath_json_text(json, chain->entries[list.items[i]].id);
	ath_json_close(json, ']');
}

/* A key is "KIND NAME". */
static void put_effect(struct ath_json *json, const struct ath_effect *effect)
{
	static const char *const verbs[] = {
		[ATH_EFFECT_ADD] = "add",
		[ATH_EFFECT_DROP] = "drop",
		[ATH_EFFECT_ALTER] = "alter",
	};
	const char *blank = strchr(effect->element.key, ' ');

	ath_json_open(json, '{');
	ath_json_put_text(json, "verb", verbs[effect->verb]);
	ath_json_put_text(json, "kind", ath_element_kind_name(effect->element.kind));
	ath_json_put_text(json, "element", blank ? blank + 1 : effect->element.key);
	ath_json_put_bool(json, "renamed", effect->tie != 0);
	ath_json_put_int(json, "line", effect->line);
	ath_json_close(json, '}');
}

static void put_effects(struct ath_json *json, const struct ath_effects *effects)
{
	ath_json_key(json, "effects");
	if (!effects) {
		ath_json_text(json, NULL);
		return;
	}
	ath_json_open(json, '[');
	for (size_t i = 0; i < effects->len; i++) {
		if (ath_revisions_is_shown(effects, &effects->items[i]))
			put_effect(json, &effects->items[i]);
	}
	ath_json_close(json, ']');
	ath_json_put_bool(json, "data", effects->has_data);
	ath_json_put_bool(json, "blind",
			  effects->source == ATH_EFFECTS_UNKNOWN || effects->is_lower_bound);
	ath_json_put_text(json, "obstacle", effects->obstacle);
}

static void put_revision(struct ath_json *json, const struct ath_revisions *revisions, size_t i)
{
	const struct ath_chain *chain = &revisions->chain;
	const struct ath_chain_entry *entry = &chain->entries[i];
	const struct ath_effects *effects =
		revisions->effects.items ? &revisions->effects.items[i] : NULL;

	ath_json_open(json, '{');
	ath_json_put_text(json, "revision", entry->id);
	put_ids(json, "parents", chain, chain->nodes[i].downs);
	put_texts(json, "depends_on", &entry->depends_on);
	put_texts(json, "labels", &entry->labels);
	ath_json_put_bool(json, "is_head", chain->nodes[i].nexts.len == 0);
	ath_json_put_text(json, "file", ath_revisions_path(entry->file, revisions->project->root));
	ath_json_put_int(json, "line", entry->line);
	ath_json_put_text(json, "message",
			  effects && effects->text ? effects->text->message : NULL);
	put_effects(json, effects);
	ath_json_close(json, '}');
}

static void put_findings(struct ath_json *json, const struct ath_revisions *revisions)
{
	const struct ath_lint_report *report = &revisions->report;

	ath_json_key(json, "findings");
	if (!revisions->is_linted) {
		ath_json_text(json, NULL);
		return;
	}
	ath_json_open(json, '[');
	for (size_t i = 0; i < report->len; i++) {
		const struct ath_lint_finding *one = &report->findings[i];

		ath_json_open(json, '{');
		ath_json_put_text(json, "level", ath_lint_level_name(one->level));
		ath_json_put_text(json, "rule", one->rule);
		ath_json_put_text(json, "file",
				  ath_revisions_path(one->file, revisions->project->root));
		ath_json_put_int(json, "line", one->line);
		ath_json_put_text(json, "revision", one->revision);
		ath_json_put_text(json, "message", one->message);
		ath_json_close(json, '}');
	}
	ath_json_close(json, ']');
}

static void put_counts(struct ath_json *json, const struct ath_lint_report *report)
{
	ath_json_key(json, "counts");
	ath_json_open(json, '{');
	for (unsigned i = 0; i < ATH_LINT_LEVEL_COUNT_; i++)
		ath_json_put_int(json, ath_lint_level_name((enum ath_lint_level)i),
				 (int64_t)report->counts[i]);
	ath_json_close(json, '}');
}

void ath_revisions_print_json(const struct ath_revisions *revisions)
{
	const struct ath_chain *chain = &revisions->chain;
	struct ath_str out = { 0 };
	struct ath_json json = { .out = &out };

	ath_result_open(&json, revisions->project);
	ath_json_put_bool(&json, "changed", false);
	ath_json_put_bool(&json, "whole", revisions->is_whole);
	put_ids(&json, "bases", chain, chain->bases);
	put_ids(&json, "heads", chain, chain->heads);
	ath_json_key(&json, "revisions");
	ath_json_open(&json, '[');
	for (size_t i = 0; i < chain->order.len; i++)
		put_revision(&json, revisions, chain->order.items[i]);
	ath_json_close(&json, ']');
	put_findings(&json, revisions);
	if (revisions->is_linted)
		put_counts(&json, &revisions->report);
	ath_json_close(&json, '}');
	ath_str_putc(&out, '\n');
	ath_print_flush(&out, false);
}

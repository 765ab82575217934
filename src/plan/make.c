/* SPDX-License-Identifier: MIT */
/* plan/make: decides for each step whether it runs, and why. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

const char *ath_plan_reason_text(enum ath_plan_reason reason)
{
	static const char *const texts[] = {
#define X(id, text) text,
		ATH_PLAN_REASONS(X)
#undef X
	};

	return texts[reason];
}

void ath_plan_put_reason(const struct ath_spec_step *step, const struct ath_plan_row *row,
			 struct ath_str *out)
{
	const char *subject = row->subject ? row->subject : "";

	if (row->reason == ATH_PLAN_REASON_CONDITION) {
		ath_str_printf(out, "%s is %s", step->when.fact, *subject ? subject : "not known");
		return;
	}
	if (row->reason != ATH_PLAN_REASON_STATIC)
		ath_str_puts(out, ath_plan_reason_text(row->reason));
	if (*subject && row->reason != ATH_PLAN_REASON_STATIC)
		ath_str_puts(out, ": ");
	ath_str_put_clean(out, subject, strlen(subject));
}

const char *ath_plan_verdict_name(enum ath_plan_verdict verdict)
{
	static const char *const names[] = {
		[ATH_PLAN_RUN] = "run",
		[ATH_PLAN_MAYBE] = "maybe",
		[ATH_PLAN_SATISFIED] = "satisfied",
		[ATH_PLAN_SKIP] = "skip",
	};

	return names[verdict];
}

bool ath_plan_when_holds(const struct ath_spec_when *when, const struct ath_pairs *facts,
			 bool *out_known)
{
	const char *value;

	*out_known = true;
	if (!when->fact)
		return true;
	value = ath_pairs_find(facts, when->fact);
	*out_known = value != NULL;
	return value && (strcmp(value, when->value) == 0) != when->is_negated;
}

static struct ath_plan_row row(enum ath_plan_verdict verdict, enum ath_plan_reason reason,
			       const char *subject)
{
	return (struct ath_plan_row){ .verdict = verdict, .reason = reason, .subject = subject };
}

/* The step's condition holds: what do its past and its effect say? */
static struct ath_plan_row decide_by_look(const struct ath_spec_step *step,
					  const struct ath_plan_look *look)
{
	bool is_same = look->past_fingerprint && look->fingerprint &&
		       strcmp(look->past_fingerprint, look->fingerprint) == 0;
	bool holds = look->probe == ATH_PROBE_WHOLE && (is_same || step->section);
	bool is_gone = look->probe == ATH_PROBE_ABSENT && step->section;

	if (look->past == ATH_PAST_INTERRUPTED && !holds)
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_INTERRUPTED, look->detail);
	if (look->past == ATH_PAST_FAILED)
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_FAILED, look->detail);
	if (look->probe == ATH_PROBE_EVERY) {
		if (look->past == ATH_PAST_DONE && is_same)
			return row(ATH_PLAN_SATISFIED, ATH_PLAN_REASON_DONE, NULL);
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_EVERY, look->detail);
	}
	if (holds)
		return row(ATH_PLAN_SATISFIED, ATH_PLAN_REASON_HOLDS, NULL);
	if (!look->past_fingerprint && look->probe != ATH_PROBE_PARTIAL && !is_gone)
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_FIRST, look->detail);
	if (look->probe == ATH_PROBE_ABSENT)
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_ABSENT, look->detail);
	if (look->probe == ATH_PROBE_PARTIAL)
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_PARTIAL, look->detail);
	if (!is_same)
		return row(ATH_PLAN_RUN, ATH_PLAN_REASON_INPUTS, NULL);
	return row(ATH_PLAN_SATISFIED, ATH_PLAN_REASON_HOLDS, NULL);
}

struct ath_plan_row ath_plan_decide(const struct ath_spec_step *step,
				    const struct ath_plan_look *look, const struct ath_pairs *facts)
{
	bool is_known, holds = ath_plan_when_holds(&step->when, facts, &is_known);

	if (step->skip_reason)
		return row(ATH_PLAN_SKIP, ATH_PLAN_REASON_STATIC, step->skip_reason);
	if (!is_known)
		return row(ATH_PLAN_MAYBE, ATH_PLAN_REASON_FACT, step->when.fact);
	if (!holds)
		return row(ATH_PLAN_SKIP, ATH_PLAN_REASON_CONDITION,
			   ath_pairs_get(facts, step->when.fact));
	return decide_by_look(step, look);
}

static bool has_name(const struct ath_texts *names, const char *name)
{
	for (size_t i = 0; i < names->len; i++) {
		if (strcmp(names->items[i], name) == 0)
			return true;
	}
	return false;
}

/* A section is a unit: whoever names one of its steps has to name them all. */
static bool check_section(const struct ath_spec *spec, const struct ath_texts *names,
			  const char *option, const struct ath_spec_step *named,
			  struct ath_err *err)
{
	for (size_t i = 0; named->section && i < spec->len; i++) {
		const struct ath_spec_step *other = &spec->steps[i];

		if (ath_str_is(other->section, named->section) && !has_name(names, other->name))
			return ath_err_set(
				err, ATH_ERR_USAGE,
				"%s names '%s', which runs only together with '%s': name "
				"every step of the section '%s' or none",
				option, named->name, other->name, named->section);
	}
	return true;
}

static bool check_names(const struct ath_spec *spec, const struct ath_texts *names,
			const char *option, struct ath_err *err)
{
	for (size_t i = 0; i < names->len; i++) {
		size_t idx = ath_graph_find(spec, names->items[i]);

		if (idx == spec->len)
			return ath_err_set(err, ATH_ERR_USAGE,
					   "%s names '%s', and there is no such step", option,
					   names->items[i]);
		if (!check_section(spec, names, option, &spec->steps[idx], err))
			return false;
	}
	return true;
}

/* --only runs the named steps alone; what they need counts as met. */
static void apply_choice(const struct ath_spec_step *step, const struct ath_plan_choice *choice,
			 struct ath_plan_row *decided)
{
	if (choice->only.len && !has_name(&choice->only, step->name))
		*decided = row(ATH_PLAN_SKIP, ATH_PLAN_REASON_NOT_CHOSEN, NULL);
	if (has_name(&choice->skip, step->name))
		*decided = row(ATH_PLAN_SKIP, ATH_PLAN_REASON_LEFT_OUT, NULL);
}

static bool is_open(const struct ath_plan_row *decided)
{
	return decided->verdict == ATH_PLAN_RUN || decided->verdict == ATH_PLAN_MAYBE;
}

/* A section is a unit: one of its steps runs, so all do that are satisfied by themselves. */
static void spread_in_sections(const struct ath_spec *spec, struct ath_plan_row *by_step)
{
	for (size_t i = 0; i < spec->len; i++) {
		const char *section = spec->steps[i].section;

		if (!section || by_step[i].verdict != ATH_PLAN_RUN)
			continue;
		for (size_t n = 0; n < spec->len; n++) {
			if (by_step[n].verdict == ATH_PLAN_SATISFIED &&
			    ath_str_is(spec->steps[n].section, section))
				by_step[n] = row(ATH_PLAN_RUN, ATH_PLAN_REASON_SECTION,
						 spec->steps[i].name);
		}
	}
}

/* Behind a step that runs, a decision by look or by fact is asked again. */
static void mark_asked_again(const struct ath_graph *graph, struct ath_plan_row *by_step)
{
	bool *is_behind = ath_mem_new(graph->len, sizeof(*is_behind));

	for (size_t i = 0; i < graph->len; i++) {
		size_t idx = graph->order[i];
		const struct ath_graph_node *node = &graph->nodes[idx];

		for (size_t n = 0; n < node->needs_len; n++)
			is_behind[idx] |=
				is_behind[node->needs[n]] || is_open(&by_step[node->needs[n]]);
		if (is_behind[idx])
			by_step[idx].is_asked_again =
				by_step[idx].reason == ATH_PLAN_REASON_HOLDS ||
				by_step[idx].reason == ATH_PLAN_REASON_CONDITION;
	}
	free(is_behind);
}

bool ath_plan_make(const struct ath_spec *spec, const struct ath_graph *graph,
		   const struct ath_plan_look *looks, const struct ath_pairs *facts,
		   const struct ath_plan_choice *choice, struct ath_arena *arena,
		   struct ath_plan *out_plan, struct ath_err *err)
{
	struct ath_plan_row *by_step, *rows;
	struct ath_plan plan = { .len = spec->len };

	if (!check_names(spec, &choice->only, "--only", err) ||
	    !check_names(spec, &choice->skip, "--skip", err))
		return false;
	by_step = ath_mem_new(spec->len, sizeof(*by_step));
	rows = ath_arena_new(arena, spec->len, sizeof(*rows));
	for (size_t i = 0; i < spec->len; i++) {
		by_step[i] = ath_plan_decide(&spec->steps[i], &looks[i], facts);
		apply_choice(&spec->steps[i], choice, &by_step[i]);
	}
	spread_in_sections(spec, by_step);
	mark_asked_again(graph, by_step);
	for (size_t i = 0; i < spec->len; i++) {
		rows[i] = by_step[graph->order[i]];
		rows[i].step = graph->order[i];
		plan.runs += is_open(&rows[i]);
		plan.every += rows[i].reason == ATH_PLAN_REASON_EVERY;
	}
	free(by_step);
	plan.rows = rows;
	*out_plan = plan;
	return true;
}

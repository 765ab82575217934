/* SPDX-License-Identifier: MIT */
/* alembic/lint: the table of rules, and the report. */
#include "alembic/lint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alembic/lint_rules.h"
#include "base/str.h"

/* Name, level, what it needs, the database that it concerns, and who judges. */
static const struct ath_lint_rule rules[] = {
	{ "no-revision", ATH_LINT_ERROR, ATH_LINT_NEEDS_ENTRIES, ATH_LINT_ANY,
	  ath_lint_no_revision },
	{ "duplicate-id", ATH_LINT_ERROR, ATH_LINT_NEEDS_ENTRIES, ATH_LINT_ANY,
	  ath_lint_duplicate_id },
	{ "missing-parent", ATH_LINT_ERROR, ATH_LINT_NEEDS_ENTRIES, ATH_LINT_ANY,
	  ath_lint_missing_parent },
	{ "label-twice", ATH_LINT_ERROR, ATH_LINT_NEEDS_ENTRIES, ATH_LINT_ANY,
	  ath_lint_label_twice },
	{ "cycle", ATH_LINT_ERROR, ATH_LINT_NEEDS_ENTRIES, ATH_LINT_ANY, ath_lint_cycle },
	{ "several-heads", ATH_LINT_INFO, ATH_LINT_NEEDS_CHAIN, ATH_LINT_ANY,
	  ath_lint_several_heads },
	{ "long-id", ATH_LINT_RISK, ATH_LINT_NEEDS_ENTRIES, ATH_LINT_ANY, ath_lint_long_id },
	{ "file-order", ATH_LINT_RISK, ATH_LINT_NEEDS_CHAIN, ATH_LINT_ANY, ath_lint_file_order },
	{ "file-name", ATH_LINT_RISK, ATH_LINT_NEEDS_CHAIN, ATH_LINT_ANY, ath_lint_file_name },
	{ "same-effect-twice", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_same_effect_twice },
	{ "unmade", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY, ath_lint_unmade },
	{ "not-null-without-default", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_not_null },
	{ "alter-without-batch", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_SQLITE,
	  ath_lint_alter_without_batch },
	{ "batch-rebuild-referenced", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_batch_rebuild },
	{ "commits-apart", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_SERVER,
	  ath_lint_commits_apart },
	{ "destroys-data", ATH_LINT_RISK, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_destroys_data },
	{ "downgrade-missing", ATH_LINT_INFO, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_downgrade_missing },
	{ "downgrade-unmade", ATH_LINT_INFO, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_downgrade_unmade },
	{ "downgrade-twice", ATH_LINT_INFO, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_downgrade_twice },
	{ "module-use", ATH_LINT_INFO, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY, ath_lint_module_use },
	{ "third-party-import", ATH_LINT_INFO, ATH_LINT_NEEDS_TEXTS, ATH_LINT_ANY,
	  ath_lint_third_party_import },
	{ "percent-in-url", ATH_LINT_RISK, ATH_LINT_NEEDS_ENV, ATH_LINT_ANY,
	  ath_lint_percent_in_url },
	{ "transaction-per-migration", ATH_LINT_RISK, ATH_LINT_NEEDS_ENV, ATH_LINT_SERVER,
	  ath_lint_transaction_per_migration },
};

enum {
	RULES = sizeof(rules) / sizeof(rules[0]),
};

const char *ath_lint_level_name(enum ath_lint_level level)
{
	static const char *const names[] = {
		[ATH_LINT_ERROR] = "error",
		[ATH_LINT_RISK] = "risk",
		[ATH_LINT_INFO] = "info",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == ATH_LINT_LEVEL_COUNT_, "one per level");

	return names[level];
}

const char *ath_lint_rule_name(size_t idx)
{
	return idx < RULES ? rules[idx].name : NULL;
}

const char *ath_lint_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *ath_lint_place(struct ath_lint_run *run, size_t revision, unsigned line)
{
	const struct ath_chain_entry *entry = &run->subject->entries[revision];

	return ath_arena_printf(run->arena, "%s (%s:%u)", entry->id ? entry->id : "?",
				ath_lint_base_name(entry->file), line ? line : 1);
}

static void add(struct ath_lint_run *run, enum ath_lint_level level, size_t revision, unsigned line,
		const char *format, va_list args)
{
	const struct ath_lint_subject *subject = run->subject;
	const struct ath_chain_entry *entry =
		revision < subject->len ? &subject->entries[revision] : NULL;
	struct ath_str message = { 0 };
	struct ath_lint_found found = { .place = 0, .serial = run->found.len };

	ath_str_vprintf(&message, format, args);
	found.finding = (struct ath_lint_finding){
		.level = level,
		.rule = run->rule->name,
		.file = entry ? entry->file : subject->env_file,
		.line = line ? line : 1,
		.revision = entry ? entry->id : NULL,
		.message = ath_arena_strdup(run->arena, ath_str_get(&message)),
	};
	if (entry && run->rule->need == ATH_LINT_NEEDS_TEXTS)
		found.place = subject->chain->nodes[revision].place + 1;
	ath_str_fini(&message);
	*ath_vec_push(&run->found) = found;
}

void ath_lint_add(struct ath_lint_run *run, size_t revision, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(run, run->rule->level, revision, line, format, args);
	va_end(args);
}

void ath_lint_add_at(struct ath_lint_run *run, enum ath_lint_level level, size_t revision,
		     unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(run, level, revision, line, format, args);
	va_end(args);
}

static bool is_asked(const struct ath_lint_rule *rule, const struct ath_lint_subject *subject)
{
	bool is_chain = subject->chain != NULL;

	if (subject->database != ATH_LINT_ANY && rule->only != ATH_LINT_ANY &&
	    rule->only != subject->database)
		return false;
	switch (rule->need) {
	case ATH_LINT_NEEDS_ENTRIES:
		return true;
	case ATH_LINT_NEEDS_CHAIN:
		return is_chain;
	case ATH_LINT_NEEDS_TEXTS:
		return is_chain && subject->effects;
	case ATH_LINT_NEEDS_ENV:
		return subject->env_text != NULL;
	}
	return false;
}

static int compare_found(const void *one, const void *other)
{
	const struct ath_lint_found *a = one, *b = other;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->place && a->finding.line != b->finding.line)
		return a->finding.line < b->finding.line ? -1 : 1;
	return (a->serial > b->serial) - (a->serial < b->serial);
}

static void report(struct ath_lint_run *run, struct ath_lint_report *out)
{
	size_t len = run->found.len;
	struct ath_lint_finding *findings = ath_arena_new(run->arena, len + 1, sizeof(*findings));

	if (len)
		qsort(run->found.items, len, sizeof(*run->found.items), compare_found);
	*out = (struct ath_lint_report){ .findings = findings, .len = len };
	for (size_t i = 0; i < len; i++) {
		findings[i] = run->found.items[i].finding;
		out->counts[findings[i].level]++;
	}
}

void ath_lint_check(const struct ath_lint_subject *subject, struct ath_arena *arena,
		    struct ath_lint_report *out)
{
	struct ath_lint_run run = { .subject = subject, .arena = arena };

	if (subject->chain && subject->effects)
		ath_lint_gather(&run);
	for (size_t i = 0; i < RULES; i++) {
		run.rule = &rules[i];
		if (is_asked(run.rule, subject))
			run.rule->check(&run);
	}
	report(&run, out);
	ath_vec_fini(&run.found);
}

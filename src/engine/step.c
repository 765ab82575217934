/* SPDX-License-Identifier: MIT */
/* engine/step: the look-up in the table of step types, and how a child's end is told. */
#include "engine/step.h"

#include <string.h>

const struct ath_step_type *ath_step_find_type(const struct ath_step_table *table, const char *name)
{
	for (size_t i = 0; table->types[i]; i++) {
		if (strcmp(table->types[i]->name, name) == 0)
			return table->types[i];
	}
	return NULL;
}

const struct ath_section_type *ath_step_find_section(const struct ath_step_table *table,
						     const char *name)
{
	for (size_t i = 0; table->sections[i]; i++) {
		if (strcmp(table->sections[i]->name, name) == 0)
			return table->sections[i];
	}
	return NULL;
}

bool ath_step_check_exit(const struct ath_child_result *result, const char *what,
			 struct ath_err *err)
{
	if (result->timed_out)
		return ath_err_set(err, ATH_ERR_TIMEOUT, "%s did not end in time", what);
	if (result->was_cancelled)
		return ath_err_set(err, ATH_ERR_CANCELLED, "%s was cancelled", what);
	if (result->term_signal)
		return ath_err_set(err, ATH_ERR_CHILD, "%s was ended by signal %d (%s)", what,
				   result->term_signal, strsignal(result->term_signal));
	if (result->exit_status)
		return ath_err_set(err, ATH_ERR_CHILD, "%s ended with exit status %d", what,
				   result->exit_status);
	return true;
}

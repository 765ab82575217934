/* SPDX-License-Identifier: MIT */
/* steps/tool: runs another's program for a step and says in one line why it failed. */
#include "steps/tool.h"

#include <string.h>

enum {
	LINE_LIMIT = 8192, /* bytes of the first line that are kept */
};

static struct ath_tool *tool_of(struct ath_step *step)
{
	return ath_step_data(step, sizeof(struct ath_tool));
}

static void on_output(struct ath_step *step, const char *line, size_t len)
{
	struct ath_tool *tool = tool_of(step);

	if (!*tool->first_line && len)
		tool->first_line = ath_arena_strndup(ath_step_arena(step), line,
						     len < LINE_LIMIT ? len : LINE_LIMIT);
	ath_cause_read(&tool->cause, false, line, len);
}

static void on_error_output(struct ath_step *step, const char *line, size_t len)
{
	ath_cause_read(&tool_of(step)->cause, true, line, len);
}

/* Add what the tool itself said to how it ended. */
static void explain(const struct ath_tool *tool, struct ath_err *err)
{
	const char *cause = ath_cause_get(&tool->cause);
	struct ath_err ended = *err;

	if (ended.code != ATH_ERR_CHILD)
		return;
	ath_err_clear(err);
	if (tool->uses_network && tool->cause.network)
		(void)ath_err_set(err, ATH_ERR_UNAVAILABLE,
				  "%s: a server cannot be reached (%s)%s%s", tool->what,
				  tool->cause.network, *cause ? ": " : "", cause);
	else
		(void)ath_err_set(err, tool->uses_network ? ATH_ERR_STEP : ATH_ERR_CHILD, "%s%s%s",
				  ended.msg, *cause ? ": " : "", cause);
}

static void on_child_end(struct ath_step *step, const struct ath_child_result *result)
{
	struct ath_tool *tool = tool_of(step);
	struct ath_err err = { 0 };

	if (!ath_step_check_exit(result, tool->what, &err))
		explain(tool, &err);
	tool->on_end(step, &err);
}

static void log_command(struct ath_step *step, const struct ath_tool_form *form)
{
	struct ath_str text = { 0 };

	for (const char *const *one = form->argv; *one; one++)
		ath_str_printf(&text, " %s", *one);
	ath_step_log_held(step, "athanor: runs%s%s%s", ath_str_get(&text), form->cwd ? ", in " : "",
			  form->cwd ? form->cwd : "");
	ath_str_fini(&text);
}

bool ath_tool_start(struct ath_step *step, const struct ath_tool_form *form, struct ath_err *err)
{
	struct ath_tool *tool = tool_of(step);
	const struct ath_step_command command = {
		.argv = form->argv,
		.cwd = form->cwd,
		.environment = form->environment,
		.timeout_ms = form->timeout_ms,
		.on_output = on_output,
		.on_error_output = on_error_output,
		.on_exit = on_child_end,
	};

	*tool = (struct ath_tool){
		.first_line = "",
		.what = form->what,
		.on_end = form->on_end,
		.uses_network = form->uses_network,
	};
	log_command(step, form);
	return ath_step_exec(step, &command, err) || ath_err_prefix(err, "%s", form->what);
}

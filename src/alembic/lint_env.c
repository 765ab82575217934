/* SPDX-License-Identifier: MIT */
/*
 * alembic/lint: rules about env.py, read as tokens.
 *
 * A call of set_main_option("sqlalchemy.url", X) is followed if X is not a literal. Whoever doubles
 * the percent sign writes "%%" somewhere in the file; where that is, is not asked.
 */
#include <string.h>

#include "alembic/lint_rules.h"
#include "alembic/token.h"
#include "base/str.h"

/* One reading of env.py. */
struct env {
	struct ath_lint_run *run;
	struct ath_token_reader reader;
	struct ath_token token;
	unsigned url_line;           /* an option set to a URL that is not literal; 0: none */
	unsigned per_migration_line; /* 0: none */
	bool has_doubled;            /* "%%" stands in a string */
	bool has_version_num;        /* "version_num" does */
};

static bool holds(const struct ath_token *token, const char *text)
{
	return memmem(token->text, token->len, text, strlen(text)) != NULL;
}

static bool next(struct env *env)
{
	ath_token_next(&env->reader, &env->token);
	if (env->token.kind == ATH_TOKEN_STRING) {
		env->has_doubled = env->has_doubled || holds(&env->token, "%%");
		env->has_version_num = env->has_version_num || holds(&env->token, "version_num");
	}
	return env->token.kind != ATH_TOKEN_END && env->token.kind != ATH_TOKEN_BAD;
}

static bool is_name(const struct ath_token *token, const char *name)
{
	return token->kind == ATH_TOKEN_NAME && token->len == strlen(name) &&
	       memcmp(token->text, name, token->len) == 0;
}

static bool is_sign(const struct ath_token *token, char sign)
{
	return token->kind == ATH_TOKEN_SIGN && token->sign == sign;
}

static bool is_url_option(struct env *env)
{
	const char *reason;
	const char *value = env->token.kind == ATH_TOKEN_STRING
				    ? ath_token_find_value(&env->token, env->run->arena, &reason)
				    : NULL;

	return ath_str_is(value, "sqlalchemy.url");
}

/* Behind the name of the method: its arguments, up to the value. */
static void read_option(struct env *env)
{
	unsigned line = env->token.line, depth;
	bool is_literal;

	if (!next(env) || !is_sign(&env->token, '('))
		return;
	depth = env->reader.depth;
	while (next(env) && env->reader.depth >= depth && !is_url_option(env))
		;
	if (env->reader.depth < depth || !next(env) || !is_sign(&env->token, ','))
		return;
	is_literal = next(env) && env->token.kind == ATH_TOKEN_STRING && !env->token.is_formatted;
	if (is_literal)
		is_literal = next(env) && (is_sign(&env->token, ')') || is_sign(&env->token, ','));
	if (!is_literal && !env->url_line)
		env->url_line = line;
}

static void read_env(struct ath_lint_run *run, struct env *env)
{
	*env = (struct env){ .run = run };
	ath_token_init(&env->reader, run->subject->env_text, run->subject->env_len);
	while (next(env)) {
		unsigned line = env->token.line;

		if (is_name(&env->token, "set_main_option") ||
		    is_name(&env->token, "set_section_option"))
			read_option(env);
		else if (is_name(&env->token, "transaction_per_migration") && next(env) &&
			 is_sign(&env->token, '=') && next(env) && is_name(&env->token, "True"))
			env->per_migration_line = line;
	}
}

void ath_lint_percent_in_url(struct ath_lint_run *run)
{
	struct env env;

	read_env(run, &env);
	if (env.url_line && !env.has_doubled)
		ath_lint_add(run, ATH_LINT_NO_REVISION, env.url_line,
			     "sets sqlalchemy.url without doubling '%%': a password with a percent "
			     "sign breaks every command (url.replace(\"%%\", \"%%%%\"))");
}

void ath_lint_transaction_per_migration(struct ath_lint_run *run)
{
	struct env env;

	read_env(run, &env);
	if (env.per_migration_line)
		ath_lint_add(run, ATH_LINT_NO_REVISION, env.per_migration_line,
			     "each migration has a transaction of its own: an upgrade can stop "
			     "between two of them even on PostgreSQL");
}

bool ath_lint_env_widens(const struct ath_lint_run *run)
{
	struct ath_lint_run copy = *run;
	struct env env;

	if (!run->subject->env_text)
		return false;
	read_env(&copy, &env);
	return env.has_version_num;
}

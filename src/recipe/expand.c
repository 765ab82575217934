/* SPDX-License-Identifier: MIT */
/* recipe/expand: replaces ${NAME} and ${NAME:-default} in a value. */
#include "recipe/expand.h"

#include <string.h>

/* One ${...}: offsets are of the text that contains it. */
struct reference {
	size_t name, name_len;
	size_t fallback, fallback_len;
	bool has_fallback;
	size_t end; /* behind the closing brace */
};

static struct ath_pos moved(struct ath_pos pos, size_t offset)
{
	if (pos.line)
		pos.column += (unsigned)offset;
	return pos;
}

static bool is_name_byte(char byte, bool is_first)
{
	return byte == '_' || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (!is_first && byte >= '0' && byte <= '9');
}

/* `at` is the offset of the dollar; the byte behind it is an open brace. */
static bool read_reference(const char *text, size_t at, struct ath_pos pos,
			   struct reference *out_ref, struct ath_err *err)
{
	struct reference ref = { .name = at + 2 };
	size_t end = ref.name;

	while (is_name_byte(text[end], end == ref.name))
		end++;
	ref.name_len = end - ref.name;
	if (!strchr(text + at, '}'))
		return ath_err_at(err, ATH_ERR_RECIPE, moved(pos, at), "'${' has no closing brace");
	if (!ref.name_len || (text[end] != '}' && strncmp(text + end, ":-", 2) != 0))
		return ath_err_at(err, ATH_ERR_RECIPE, moved(pos, end),
				  "only ${NAME} and ${NAME:-default} are replaced");
	if (text[end] == ':') {
		ref.has_fallback = true;
		ref.fallback = end + 2;
		ref.fallback_len = strcspn(text + ref.fallback, "}");
		end = ref.fallback + ref.fallback_len;
	}
	for (size_t i = ref.fallback; ref.has_fallback && i + 1 < end; i++) {
		if (text[i] == '$' && text[i + 1] == '{')
			return ath_err_at(err, ATH_ERR_RECIPE, moved(pos, i),
					  "a default cannot contain another '${'");
	}
	ref.end = end + 1;
	*out_ref = ref;
	return true;
}

static bool put_value(const char *text, const struct reference *ref, struct ath_pos pos,
		      ath_expand_fn *lookup, void *user, struct ath_str *out, struct ath_err *err)
{
	struct ath_str name = { 0 };
	const char *value;
	bool is_known;

	ath_str_add(&name, text + ref->name, ref->name_len);
	value = lookup(user, ath_str_get(&name));
	is_known = value || ref->has_fallback;
	if (!is_known)
		ath_err_at(err, ATH_ERR_RECIPE, moved(pos, ref->name),
			   "the variable '%s' is not set and has no default: write ${%s:-default}",
			   ath_str_get(&name), ath_str_get(&name));
	else if (ref->has_fallback && (!value || !*value))
		ath_str_add(out, text + ref->fallback, ref->fallback_len);
	else
		ath_str_puts(out, value);
	ath_str_fini(&name);
	return is_known;
}

/* Without `lookup` only the syntax is looked at. */
static bool expand(const char *text, struct ath_pos pos, ath_expand_fn *lookup, void *user,
		   struct ath_str *out, struct ath_err *err)
{
	for (size_t at = 0; text[at];) {
		struct reference ref = { 0 };

		if (text[at] != '$') {
			ath_str_putc(out, text[at++]);
		} else if (text[at + 1] == '$') {
			ath_str_putc(out, '$');
			at += 2;
		} else if (text[at + 1] != '{') {
			return ath_err_at(err, ATH_ERR_RECIPE, moved(pos, at),
					  "a lone '$': write $$ for a dollar, ${NAME} for a "
					  "variable");
		} else {
			if (!read_reference(text, at, pos, &ref, err))
				return false;
			if (lookup && !put_value(text, &ref, pos, lookup, user, out, err))
				return false;
			at = ref.end;
		}
	}
	return true;
}

bool ath_expand(const char *text, struct ath_pos pos, ath_expand_fn *lookup, void *user,
		struct ath_str *out, struct ath_err *err)
{
	struct ath_str whole = { 0 };
	bool is_done = expand(text, pos, lookup, user, &whole, err);

	if (is_done)
		ath_str_add(out, ath_str_get(&whole), whole.len);
	ath_str_fini(&whole);
	return is_done;
}

bool ath_expand_check(const char *text, struct ath_pos pos, struct ath_err *err)
{
	struct ath_str ignored = { 0 };
	bool is_right = expand(text, pos, NULL, NULL, &ignored, err);

	ath_str_fini(&ignored);
	return is_right;
}

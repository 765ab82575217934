/* SPDX-License-Identifier: MIT */
/*
 * alembic/assign: one assignment of the strict form that the scanner trusts.
 *
 *	line   := KEY [ ":" annotation ] "=" value NEWLINE
 *	value  := "None" | string | "(" string ")" | "(" [ items ] ")" | "[" [ items ] "]"
 *	items  := string { "," string } [ "," ]
 */
#include "alembic/assign.h"

#include <string.h>

#include "base/arena.h"

/* A growing list in an arena; `items` ends with a NULL. */
struct list {
	const char **items;
	size_t len, cap;
};

static void add_item(struct list *list, struct ath_arena *arena, const char *item)
{
	if (list->len + 1 >= list->cap) {
		size_t cap = 2 * list->cap + 2;
		const char **more = ath_arena_new(arena, cap, sizeof(*more));

		if (list->len)
			memcpy(more, list->items, list->len * sizeof(*more));
		list->items = more;
		list->cap = cap;
	}
	if (item)
		list->items[list->len++] = item;
}

static bool read_string(struct ath_word_cursor *cursor, struct ath_arena *arena, struct list *list,
			struct ath_assign *assign)
{
	const char *value = ath_token_find_value(&cursor->token, arena, &assign->field.reason);

	if (value)
		add_item(list, arena, value);
	ath_word_advance(cursor);
	return value;
}

/* What stands between two brackets, and the closing one. */
static bool read_items(struct ath_word_cursor *cursor, struct ath_arena *arena, struct list *list,
		       struct ath_assign *assign)
{
	char closer = ath_word_is_sign(cursor, '(') ? ')' : ']';
	bool has_comma = true;

	add_item(list, arena, NULL);
	ath_word_advance(cursor);
	while (has_comma && cursor->token.kind == ATH_TOKEN_STRING) {
		if (!read_string(cursor, arena, list, assign))
			return false;
		has_comma = ath_word_is_sign(cursor, ',');
		if (has_comma)
			ath_word_advance(cursor);
	}
	if (!ath_word_is_sign(cursor, closer))
		return false;
	ath_word_advance(cursor);
	assign->is_mutable = closer == ']';
	assign->field.state =
		closer == ']' || has_comma || list->len > 1 ? ATH_SCAN_LIST : ATH_SCAN_TEXT;
	return true;
}

static bool read_value(struct ath_word_cursor *cursor, struct ath_arena *arena,
		       struct ath_assign *assign)
{
	struct list list = { 0 };
	bool is_read = true;

	if (cursor->token.kind == ATH_TOKEN_NAME && cursor->token.len == 4 &&
	    memcmp(cursor->token.text, "None", 4) == 0) {
		assign->field.state = ATH_SCAN_NONE;
		ath_word_advance(cursor);
	} else if (cursor->token.kind == ATH_TOKEN_STRING) {
		assign->field.state = ATH_SCAN_TEXT;
		is_read = read_string(cursor, arena, &list, assign);
	} else if (ath_word_is_sign(cursor, '(') || ath_word_is_sign(cursor, '[')) {
		is_read = read_items(cursor, arena, &list, assign);
	} else {
		is_read = false;
	}
	assign->field.texts = (struct ath_texts){ list.items, list.len };
	return is_read && cursor->token.kind == ATH_TOKEN_NEWLINE;
}

/* Step over ":" annotation. One that could do more than name a type is not stepped over. */
static bool skip_annotation(struct ath_word_cursor *cursor)
{
	for (ath_word_advance(cursor); ath_word_has_more(cursor); ath_word_advance(cursor)) {
		if (ath_word_is_sign(cursor, '=') && cursor->reader.depth == 0)
			return true;
		if (cursor->row || ath_word_is_sign(cursor, ATH_TOKEN_WALRUS) ||
		    cursor->token.is_formatted)
			return false;
	}
	return false;
}

enum ath_assign_outcome ath_assign_read(struct ath_word_cursor *cursor, struct ath_arena *arena,
					struct ath_assign *out_assign)
{
	struct ath_assign assign = { .field.line = cursor->token.line };

	*out_assign = assign;
	ath_word_advance(cursor);
	if (ath_word_is_sign(cursor, ':') && !skip_annotation(cursor))
		return ATH_ASSIGN_OTHER;
	if (!ath_word_is_sign(cursor, '='))
		return ATH_ASSIGN_OTHER;
	ath_word_advance(cursor);
	if (read_value(cursor, arena, &assign) && !cursor->reader.is_continued) {
		*out_assign = assign;
		return ATH_ASSIGN_DONE;
	}
	out_assign->field.reason = assign.field.reason;
	if (cursor->reader.is_continued)
		out_assign->field.reason = "a backslash joins the lines of the assignment";
	else if (!assign.field.reason)
		out_assign->field.reason =
			"the value is not None, a string or a plain list of strings";
	return ATH_ASSIGN_REFUSED;
}

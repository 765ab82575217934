/* SPDX-License-Identifier: MIT */
/*
 * recipe/load: YAML events in, a tree of values out.
 *
 * libfyaml 0.7.12 is driven event by event, so nothing recurses and every limit is met before the
 * next event is asked for. It is given only text that passed scan(): valid UTF-8 without control
 * characters, because the library reads an invalid sequence as the end of a value. Its two ways of
 * counting (token marks from 0 in characters with a byte offset, collected errors from 1) are
 * brought to one in place_at() and place_of_error().
 */
#include "recipe/load.h"

#include <libfyaml.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* An open list or mapping. */
struct frame {
	struct ath_value *parent;
	struct ath_value *tail; /* its last child, or NULL */
	const char *key;        /* of the entry whose value comes next, or NULL */
	struct ath_pos key_pos;
};

struct loader {
	const struct ath_load_source *source;
	struct ath_arena *arena;
	struct ath_err *err;
	size_t *starts; /* owned; offset of each line */
	size_t starts_len;
	struct frame frames[ATH_LOAD_DEPTH];
	size_t depth;
	size_t nodes;
	size_t documents;
	size_t last; /* offset of the last event that had one */
	struct ath_value *root;
};

/* The place of a byte of the text. */
static struct ath_pos place_at(const struct loader *loader, size_t offset)
{
	size_t low = 0, high = loader->starts_len;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (loader->starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return (struct ath_pos){ loader->source->file, (unsigned)low + 1,
				 (unsigned)(offset - loader->starts[low]) + 1 };
}

static bool fail(const struct loader *loader, size_t offset, const char *what)
{
	return ath_err_at(loader->err, ATH_ERR_RECIPE, place_at(loader, offset), "%s", what);
}

static void find_lines(struct loader *loader)
{
	const struct ath_load_source *source = loader->source;
	size_t count = 1;

	for (size_t i = 0; i < source->len; i++)
		count += source->text[i] == '\n';
	loader->starts = ath_mem_new(count, sizeof(*loader->starts));
	loader->starts_len = 1;
	for (size_t i = 0; i < source->len; i++) {
		if (source->text[i] == '\n')
			loader->starts[loader->starts_len++] = i + 1;
	}
}

/* Length of the valid UTF-8 sequence at `s` (RFC 3629, section 4), or 0. */
static size_t sequence_len(const unsigned char *s, size_t len)
{
	size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (!need || s[0] > 0xf4 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return need;
}

/* What is wrong with the byte at `at` before any syntax is looked at, or NULL. */
static const char *fault_at(const struct ath_load_source *source, size_t at, size_t *out_used)
{
	const unsigned char *s = (const unsigned char *)source->text + at;
	bool is_line_end = at + 1 < source->len && s[0] == '\r' && s[1] == '\n';
	bool is_line_start = at == 0 || s[-1] == '\n';

	*out_used = sequence_len(s, source->len - at);
	if (s[0] == '\0')
		return "a NUL byte is not allowed in a recipe";
	if (!*out_used)
		return "this is not valid UTF-8";
	if (s[0] == 0x7f || (s[0] < 0x20 && s[0] != '\t' && s[0] != '\n' && !is_line_end))
		return "a control character is not allowed in a recipe";
	if (s[0] == '%' && is_line_start)
		return "a YAML directive is not allowed in a recipe";
	return NULL;
}

static bool scan(const struct loader *loader)
{
	const struct ath_load_source *source = loader->source;
	size_t used;

	for (size_t at = 0; at < source->len; at += used) {
		const char *fault = fault_at(source, at, &used);

		if (fault)
			return fail(loader, at, fault);
	}
	return true;
}

static size_t offset_of(struct loader *loader, struct fy_token *token)
{
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	if (mark && mark->input_pos <= loader->source->len)
		loader->last = mark->input_pos;
	return loader->last;
}

static bool check_counts(struct loader *loader, size_t offset, bool opens)
{
	if (++loader->nodes > ATH_LOAD_NODES)
		return ath_err_at(loader->err, ATH_ERR_RECIPE, place_at(loader, offset),
				  "a recipe has at most %d keys and values", ATH_LOAD_NODES);
	if (opens && loader->depth == ATH_LOAD_DEPTH)
		return ath_err_at(loader->err, ATH_ERR_RECIPE, place_at(loader, offset),
				  "a recipe is at most %d levels deep", ATH_LOAD_DEPTH);
	return true;
}

/* Append a value to the innermost open list or mapping; the first one of all is the root. */
static struct ath_value *attach(struct loader *loader, enum ath_value_kind kind, size_t offset)
{
	struct ath_value *value = ath_arena_new(loader->arena, 1, sizeof(*value));
	struct frame *frame = loader->depth ? &loader->frames[loader->depth - 1] : NULL;

	value->kind = kind;
	value->pos = place_at(loader, offset);
	if (!frame) {
		loader->root = value;
		return value;
	}
	value->key = frame->key;
	value->key_pos = frame->key_pos;
	frame->key = NULL;
	*(frame->tail ? &frame->tail->next : &frame->parent->items) = value;
	frame->tail = value;
	return value;
}

static bool expects_key(const struct loader *loader)
{
	const struct frame *frame = loader->depth ? &loader->frames[loader->depth - 1] : NULL;

	return frame && frame->parent->kind == ATH_VALUE_MAP && !frame->key;
}

static bool is_null_word(const char *text, size_t len)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return true;
	}
	return false;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return true;
	}
	return false;
}

static bool check_unique(const struct loader *loader, const char *key, size_t offset)
{
	const struct ath_value *map = loader->frames[loader->depth - 1].parent;
	const struct ath_value *first = ath_value_find(map, key);

	if (first)
		return ath_err_at(loader->err, ATH_ERR_RECIPE, place_at(loader, offset),
				  "the key '%s' stands here again: it is already in line %u", key,
				  first->key_pos.line);
	return true;
}

static bool take_key(struct loader *loader, const char *text, size_t len, size_t offset)
{
	struct frame *frame = &loader->frames[loader->depth - 1];
	const char *key;

	if (has_control(text, len))
		return fail(loader, offset, "a key must not contain control characters");
	key = ath_arena_strndup(loader->arena, text, len);
	if (!check_unique(loader, key, offset))
		return false;
	frame->key = key;
	frame->key_pos = place_at(loader, offset);
	return true;
}

/*
 * Append the text of a scalar; false if it cannot be read.
 *
 * Piece by piece, because fy_token_get_text() of 0.7.12 does not release its own list of pieces
 * where a quoted text has more than a few.
 */
static bool read_scalar(struct fy_token *token, struct ath_str *out)
{
	struct fy_token_iter *iter = fy_token_iter_create(token);
	const struct fy_iter_chunk *chunk = NULL;
	int failed = 0;

	if (!iter)
		abort(); /* out of memory, as in base/mem */
	while ((chunk = fy_token_iter_chunk_next(iter, chunk, &failed)))
		ath_str_add(out, chunk->str, chunk->len);
	fy_token_iter_destroy(iter);
	return !failed;
}

static bool take_text(struct loader *loader, struct fy_token *token, const char *text, size_t len)
{
	size_t offset = offset_of(loader, token);
	bool is_plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	bool is_key = expects_key(loader), is_null = is_plain && is_null_word(text, len);
	struct ath_value *value;

	if (memchr(text, '\0', len))
		return fail(loader, offset, "a NUL byte is not allowed in a recipe");
	if (!check_counts(loader, offset, false))
		return false;
	if (is_key && is_null)
		return fail(loader, offset, "a key must be a text");
	if (is_key && is_plain && len == 2 && memcmp(text, "<<", 2) == 0)
		return fail(loader, offset, "a merge key is not allowed in a recipe");
	if (is_key)
		return take_key(loader, text, len, offset);
	value = attach(loader, is_null ? ATH_VALUE_NULL : ATH_VALUE_TEXT, offset);
	if (!is_null)
		value->text = ath_arena_strndup(loader->arena, text, len);
	value->is_quoted = !is_plain;
	return true;
}

static bool take_scalar(struct loader *loader, struct fy_token *token)
{
	struct ath_str text = { 0 };
	bool is_taken = !token || read_scalar(token, &text);

	if (is_taken)
		is_taken = take_text(loader, token, ath_str_get(&text), text.len);
	else
		fail(loader, offset_of(loader, token), "this text cannot be read");
	ath_str_fini(&text);
	return is_taken;
}

static bool take_open(struct loader *loader, struct fy_token *token, enum ath_value_kind kind)
{
	size_t offset = offset_of(loader, token);
	struct ath_value *value;

	if (!check_counts(loader, offset, true))
		return false;
	if (expects_key(loader))
		return fail(loader, offset, "a key must be a text");
	value = attach(loader, kind, offset);
	loader->frames[loader->depth++] = (struct frame){ .parent = value };
	return true;
}

static bool refuse_marks(struct loader *loader, struct fy_event *event)
{
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	struct fy_token *tag = fy_event_get_tag_token(event);

	if (anchor)
		return fail(loader, offset_of(loader, anchor),
			    "an anchor is not allowed in a recipe: write the value out");
	if (tag)
		return fail(loader, offset_of(loader, tag), "a tag is not allowed in a recipe");
	return true;
}

static bool take_event(struct loader *loader, struct fy_event *event)
{
	struct fy_token *token = fy_event_get_token(event);

	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (loader->documents++)
			return fail(loader, offset_of(loader, token),
				    "a second document is not allowed in a recipe");
		return true;
	case FYET_ALIAS:
		return fail(loader, offset_of(loader, token),
			    "an alias is not allowed in a recipe: write the value out");
	case FYET_SCALAR:
		return refuse_marks(loader, event) && take_scalar(loader, token);
	case FYET_SEQUENCE_START:
		return refuse_marks(loader, event) && take_open(loader, token, ATH_VALUE_LIST);
	case FYET_MAPPING_START:
		return refuse_marks(loader, event) && take_open(loader, token, ATH_VALUE_MAP);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		loader->depth--;
		return true;
	default:
		return true;
	}
}

/* Collected errors count lines and characters from 1; a token's mark is exact where there is one. */
static struct ath_pos place_of_error(const struct loader *loader, const struct fy_diag_error *error)
{
	const struct fy_mark *mark = error->fyt ? fy_token_start_mark(error->fyt) : NULL;
	size_t line, offset, len = loader->source->len;
	const char *text = loader->source->text;

	if (mark && mark->input_pos <= len)
		return place_at(loader, mark->input_pos);
	if (error->line < 1)
		return place_at(loader, loader->last);
	line = (size_t)error->line <= loader->starts_len ? (size_t)error->line : loader->starts_len;
	offset = loader->starts[line - 1];
	for (int i = 1; i < error->column && offset < len && text[offset] != '\n'; i++)
		offset += sequence_len((const unsigned char *)text + offset, len - offset);
	return place_at(loader, offset);
}

static bool report_syntax(const struct loader *loader, struct fy_diag *diag)
{
	void *at = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);
	struct ath_str text = { 0 };

	if (!error)
		return fail(loader, loader->last, "the syntax is wrong from here on");
	ath_str_put_clean(&text, error->msg, strlen(error->msg));
	ath_err_at(loader->err, ATH_ERR_RECIPE, place_of_error(loader, error), "syntax: %s",
		   ath_str_get(&text));
	ath_str_fini(&text);
	return false;
}

static bool read_events(struct loader *loader, struct fy_parser *parser, struct fy_diag *diag)
{
	for (;;) {
		struct fy_event *event = fy_parser_parse(parser);
		bool is_end = event && event->type == FYET_STREAM_END, is_taken;

		if (!event)
			return report_syntax(loader, diag);
		is_taken = take_event(loader, event);
		fy_parser_event_free(parser, event);
		if (!is_taken)
			return false;
		if (is_end)
			return fy_diag_got_error(diag) ? report_syntax(loader, diag) : true;
	}
}

static bool parse(struct loader *loader)
{
	struct fy_diag_cfg diag_form;
	struct fy_parse_cfg form = { .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 |
					      FYPCF_JSON_NONE | FYPCF_DISABLE_MMAP_OPT };
	struct fy_parser *parser;
	bool is_read;

	fy_diag_cfg_default(&diag_form);
	diag_form.fp = NULL; /* nothing is printed */
	form.diag = fy_diag_create(&diag_form);
	if (!form.diag)
		abort(); /* out of memory, as in base/mem */
	fy_diag_set_collect_errors(form.diag, true);
	parser = fy_parser_create(&form);
	if (!parser || fy_parser_set_string(parser, loader->source->text, loader->source->len) != 0)
		abort();
	is_read = read_events(loader, parser, form.diag);
	fy_parser_destroy(parser);
	fy_diag_destroy(form.diag);
	return is_read;
}

bool ath_load_text(const struct ath_load_source *source, struct ath_arena *arena,
		   const struct ath_value **out_tree, struct ath_err *err)
{
	struct loader loader = { .source = source, .arena = arena, .err = err };
	bool is_read;

	if (source->len > ATH_LOAD_BYTES)
		return ath_err_set(err, ATH_ERR_RECIPE, "a recipe is at most %d KiB long",
				   ATH_LOAD_BYTES / 1024);
	find_lines(&loader);
	is_read = scan(&loader) && (!source->len || parse(&loader));
	if (is_read && !loader.root)
		attach(&loader, ATH_VALUE_NULL, 0);
	if (is_read)
		*out_tree = loader.root;
	free(loader.starts);
	return is_read;
}

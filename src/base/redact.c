/* SPDX-License-Identifier: MIT */
/*
 * base/redact: masks secrets in bytes that flow by, wherever they are cut.
 *
 *	held   . . . p l a i n [ s e c r e t ] p l s e c
 *	                        span           │     └─ may be one: held back
 *	                                       └─ up to here it is certain
 *
 * The state is the longest beginning of any spelling that the bytes end with; a span is the longest
 * spelling that ends at a byte. So no span that is still to come begins before the held state.
 */
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/spelling.h"

enum {
	LEAST_CUT = 4,   /* bytes of a beginning at the end of a cut text that count */
	LEAST_USER = 20, /* bytes of a URL's user from which on it is taken for a token */
};

struct node {
	uint32_t child, sibling; /* 0: none */
	uint32_t fail;           /* the longest proper end that is a beginning, too */
	uint32_t depth;
	uint32_t longest; /* bytes of the longest spelling that ends here, or 0 */
	unsigned char byte;
	bool is_end, is_url, ends_url; /* of a spelling; of "://"; of an end of it */
};

struct ath_redact {
	ATH_VEC(struct node) nodes; /* owned; the first is the root */
	uint32_t first[256];        /* children of the root by their byte */
	uint8_t pairs[65536 / 8];   /* a bit for each two bytes that a spelling begins with */
	bool is_linked;             /* `fail` and what follows from it are as they should be */
};

static const char *const url_signs[] = { "://", ":\\/\\/" };

/* ---- the automaton ---- */

static uint32_t find_child(const struct ath_redact *set, uint32_t node, unsigned char byte)
{
	uint32_t at;

	if (!node)
		return set->first[byte];
	for (at = set->nodes.items[node].child; at && set->nodes.items[at].byte != byte;)
		at = set->nodes.items[at].sibling;
	return at;
}

static uint32_t add_child(struct ath_redact *set, uint32_t node, unsigned char byte)
{
	uint32_t child = (uint32_t)set->nodes.len;
	struct node *parent;

	*ath_vec_push(&set->nodes) = (struct node){ .byte = byte };
	parent = &set->nodes.items[node];
	set->nodes.items[child].depth = parent->depth + 1;
	set->nodes.items[child].sibling = parent->child;
	parent->child = child;
	if (!node)
		set->first[byte] = child;
	return child;
}

static size_t pair_at(const char *bytes)
{
	return (size_t)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static bool begins_one(const struct ath_redact *set, const char *bytes)
{
	size_t pair = pair_at(bytes);

	return set->pairs[pair / 8] >> pair % 8 & 1;
}

/* Every spelling has two bytes at least. */
static struct node *add_path(struct ath_redact *set, const char *bytes, size_t len)
{
	size_t pair = pair_at(bytes);
	uint32_t node = 0;

	set->pairs[pair / 8] |= (uint8_t)(1U << pair % 8);
	for (size_t i = 0; i < len; i++) {
		uint32_t child = find_child(set, node, (unsigned char)bytes[i]);

		node = child ? child : add_child(set, node, (unsigned char)bytes[i]);
	}
	set->is_linked = false;
	return &set->nodes.items[node];
}

static void add_spelling(void *user, const char *bytes, size_t len)
{
	add_path(user, bytes, len)->is_end = true;
}

static uint32_t go_on(const struct ath_redact *set, uint32_t node, unsigned char byte)
{
	while (node) {
		uint32_t child = find_child(set, node, byte);

		if (child)
			return child;
		node = set->nodes.items[node].fail;
	}
	return set->first[byte];
}

static void link_node(struct ath_redact *set, uint32_t parent, uint32_t idx)
{
	struct node *node = &set->nodes.items[idx];
	const struct node *end;

	node->fail = parent ? go_on(set, set->nodes.items[parent].fail, node->byte) : 0;
	end = &set->nodes.items[node->fail];
	node->longest = node->is_end ? node->depth : end->longest;
	node->ends_url = node->is_url || end->ends_url;
}

/* Level by level: an end is shorter than what it is the end of. */
static void link_all(struct ath_redact *set)
{
	uint32_t *queue = ath_mem_new(set->nodes.len, sizeof(*queue));
	size_t len = 1;

	for (size_t i = 0; i < len; i++) {
		uint32_t parent = queue[i];

		for (uint32_t at = set->nodes.items[parent].child; at;
		     at = set->nodes.items[at].sibling) {
			link_node(set, parent, at);
			queue[len++] = at;
		}
	}
	free(queue);
	set->is_linked = true;
}

struct ath_redact *ath_redact_new(void)
{
	struct ath_redact *set = ath_mem_new(1, sizeof(*set));

	*ath_vec_push(&set->nodes) = (struct node){ 0 };
	for (size_t i = 0; i < sizeof(url_signs) / sizeof(url_signs[0]); i++)
		add_path(set, url_signs[i], strlen(url_signs[i]))->is_url = true;
	return set;
}

void ath_redact_free(struct ath_redact *set)
{
	if (!set)
		return;
	explicit_bzero(set->nodes.items, set->nodes.len * sizeof(*set->nodes.items));
	ath_vec_fini(&set->nodes);
	free(set);
}

/* What is shown line by line, such as a private key, is known by its lines. */
static void add_lines(struct ath_redact *set, const char *secret)
{
	while (*secret) {
		size_t len = strcspn(secret, "\r\n");

		if (len >= ATH_REDACT_LINE && len <= ATH_REDACT_PIECE)
			ath_spelling_each(secret, len, add_spelling, set);
		secret += len;
		secret += strspn(secret, "\r\n");
	}
}

void ath_redact_add(struct ath_redact *set, const char *secret)
{
	size_t len = strlen(secret);

	for (size_t at = 0; len - at >= ATH_REDACT_LEAST; at += ATH_REDACT_PIECE) {
		size_t part = len - at < ATH_REDACT_PIECE ? len - at : ATH_REDACT_PIECE;

		ath_spelling_each(secret + at, part, add_spelling, set);
		if (part < ATH_REDACT_PIECE)
			break;
	}
	if (strchr(secret, '\n'))
		add_lines(set, secret);
}

/* ---- spans ---- */

/* To be masked; spans that overlap become one, which counts as told if its beginning was. */
static void mark(struct ath_redact_flow *flow, size_t from, size_t to)
{
	struct ath_redact_span span = { from, to, false };
	size_t first, after, left;

	if (from >= to)
		return;
	for (after = flow->spans.len; after && flow->spans.items[after - 1].from >= to;)
		after--;
	for (first = after; first && flow->spans.items[first - 1].to > from; first--) {
		const struct ath_redact_span *other = &flow->spans.items[first - 1];

		span.is_told |= other->is_told;
		span.from = other->from < span.from ? other->from : span.from;
		span.to = other->to > span.to ? other->to : span.to;
	}
	left = flow->spans.len - after;
	(void)ath_vec_push(&flow->spans);
	memmove(flow->spans.items + first + 1, flow->spans.items + after, left * sizeof(span));
	flow->spans.items[first] = span;
	flow->spans.len = first + 1 + left;
}

/* Write what is held up to `end`, and forget it. */
static void write_to(struct ath_redact_flow *flow, size_t end, struct ath_str *out)
{
	size_t at = 0, done = 0, kept = 0;

	if (!end)
		return;
	for (; done < flow->spans.len && flow->spans.items[done].from < end; done++) {
		struct ath_redact_span *span = &flow->spans.items[done];

		ath_str_add(out, flow->held.data + at, span->from - at);
		if (!span->is_told)
			ath_str_puts(out, ATH_REDACT_MASK);
		span->is_told = true;
		at = span->to < end ? span->to : end;
		if (span->to > end)
			break;
	}
	ath_str_add(out, flow->held.data + at, end - at);
	for (; done < flow->spans.len; done++) {
		struct ath_redact_span span = flow->spans.items[done];

		span.from = span.from > end ? span.from - end : 0;
		span.to -= end;
		flow->spans.items[kept++] = span;
	}
	flow->spans.len = kept;
	if (end) /* else it may be that nothing was ever held */
		memmove(flow->held.data, flow->held.data + end, flow->held.len - end);
	flow->held.len -= end;
	flow->read -= end;
	flow->url.user -= end;
	flow->url.from -= end;
	flow->url.at -= end;
}

/* ---- URLs ---- */

/*
 * scheme://USER:PASSWORD@HOST/: the last '@' before the path ends the password. One that was not
 * quoted may hold a slash; only digits before a slash are a port.
 */
static void end_url(struct ath_redact_flow *flow)
{
	if (flow->url.part == ATH_REDACT_HOST) {
		if (flow->url.from - flow->url.user > LEAST_USER)
			mark(flow, flow->url.user, flow->url.from - 1);
		mark(flow, flow->url.from, flow->url.at);
	}
	flow->url.part = ATH_REDACT_NO_URL;
}

static void begin_url(struct ath_redact_flow *flow, size_t at)
{
	end_url(flow);
	flow->url.part = ATH_REDACT_USER;
	flow->url.user = at;
}

static void read_user(struct ath_redact_flow *flow, char byte, size_t at)
{
	if (byte == '@') {
		if (at - flow->url.user >= LEAST_USER)
			mark(flow, flow->url.user, at);
		flow->url.user = at + 1;
	} else if (byte == ':') {
		flow->url.part = ATH_REDACT_PASSWORD;
		flow->url.from = at + 1;
		flow->url.is_port = true;
	} else if (byte == '/' || byte == '?' || byte == '#') {
		flow->url.part = ATH_REDACT_NO_URL;
	}
}

static bool ends_word(char byte)
{
	return (unsigned char)byte <= ' ' || byte == 0x7f || strchr("\"'<>`|", byte);
}

static void read_url(struct ath_redact_flow *flow, char byte, size_t at)
{
	bool ends_host = byte == '/' || byte == '?' || byte == '#';

	if (ends_word(byte) || at - flow->url.user >= ATH_REDACT_URL) {
		end_url(flow);
	} else if (flow->url.part == ATH_REDACT_USER) {
		read_user(flow, byte, at);
	} else if (byte == '@') {
		flow->url.part = ATH_REDACT_HOST;
		flow->url.at = at;
	} else if (ends_host && (flow->url.part == ATH_REDACT_HOST || flow->url.is_port)) {
		end_url(flow);
	} else if (byte < '0' || byte > '9') {
		flow->url.is_port = false;
	}
}

/* ---- the flow ---- */

/* Nothing can begin before the place that is returned; the last byte is always looked at. */
static size_t skip(const struct ath_redact *set, const struct ath_str *held, size_t at)
{
	while (at + 1 < held->len &&
	       (!set->first[(unsigned char)held->data[at]] || !begins_one(set, held->data + at)))
		at++;
	return at;
}

static void look(struct ath_redact_flow *flow)
{
	const struct ath_redact *set = flow->set;
	size_t at = flow->read;

	while (at < flow->held.len) {
		const struct node *node;
		char byte;

		if (!flow->state && !flow->url.part)
			at = skip(set, &flow->held, at);
		byte = flow->held.data[at];
		flow->state = go_on(set, flow->state, (unsigned char)byte);
		node = &set->nodes.items[flow->state];
		if (node->longest)
			mark(flow, at + 1 - node->longest, at + 1);
		if (flow->url.part)
			read_url(flow, byte, at);
		if (node->ends_url)
			begin_url(flow, at + 1);
		at++;
	}
	flow->read = at;
}

void ath_redact_feed(struct ath_redact_flow *flow, const char *bytes, size_t len,
		     struct ath_str *out)
{
	size_t end;

	if (!flow->set) {
		ath_str_add(out, bytes, len);
		return;
	}
	if (!flow->set->is_linked)
		link_all(flow->set);
	ath_str_add(&flow->held, bytes, len);
	look(flow);
	end = flow->held.len - flow->set->nodes.items[flow->state].depth;
	if (flow->url.part && flow->url.user < end)
		end = flow->url.user;
	write_to(flow, end, out);
}

/* What the end of a cut text may be the beginning of. */
static void mark_cut(struct ath_redact_flow *flow)
{
	size_t depth = flow->set->nodes.items[flow->state].depth, end = flow->held.len;

	if (depth >= LEAST_CUT)
		mark(flow, end - depth, end);
	if (flow->url.part == ATH_REDACT_PASSWORD && !flow->url.is_port)
		mark(flow, flow->url.from, end);
	if (flow->url.part == ATH_REDACT_USER && end - flow->url.user >= LEAST_USER)
		mark(flow, flow->url.user, end);
}

void ath_redact_finish(struct ath_redact_flow *flow, bool is_cut, struct ath_str *out)
{
	if (flow->set && is_cut)
		mark_cut(flow);
	if (flow->set)
		end_url(flow);
	write_to(flow, flow->held.len, out);
	if (flow->held.data)
		explicit_bzero(flow->held.data, flow->held.cap);
	ath_str_fini(&flow->held);
	ath_vec_fini(&flow->spans);
	*flow = (struct ath_redact_flow){ .set = flow->set };
}

static const char dots[] = "..."; /* where a text was shortened */

void ath_redact_put(struct ath_redact *set, const char *bytes, size_t len, struct ath_str *out)
{
	struct ath_redact_flow flow = { .set = set };
	size_t dots_len = strlen(dots);
	bool is_cut = len > dots_len && memcmp(bytes + len - dots_len, dots, dots_len) == 0;

	ath_redact_feed(&flow, bytes, is_cut ? len - dots_len : len, out);
	ath_redact_finish(&flow, is_cut, out);
	if (is_cut)
		ath_str_puts(out, dots);
}

void ath_redact_err(struct ath_redact *set, struct ath_err *err)
{
	struct ath_redact_flow flow = { .set = set };
	struct ath_str text = { 0 };
	size_t len = strlen(err->msg);

	if (len + 1 == sizeof(err->msg)) {
		ath_redact_feed(&flow, err->msg, len, &text);
		ath_redact_finish(&flow, true, &text);
	} else {
		ath_redact_put(set, err->msg, len, &text);
	}
	len = text.len < sizeof(err->msg) ? text.len : sizeof(err->msg) - 1;
	memcpy(err->msg, ath_str_get(&text), len);
	err->msg[len] = '\0';
	ath_str_fini(&text);
}

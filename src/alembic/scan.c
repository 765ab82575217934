/* SPDX-License-Identifier: MIT */
/*
 * alembic/scan: reads the identifiers of a revision out of Python source, without running it, or
 * says that it cannot.
 *
 * A file is a row of logical lines. A line at column 0 that has exactly the form
 *
 *	KEY [ ":" annotation ] "=" value [ comment ]
 *
 * gives KEY its value, and the last one wins. In every other line a KEY is weighed by its place:
 * an attribute (x.KEY) and an argument (f(KEY=1)) are other names; inside a function or class it
 * binds nothing, unless "global" says so; where it is only read it does no harm, unless its value is
 * a list, which could be changed by whoever reads it. All else might bind it: then it escalates for
 * good. So do all four where the file looks at its own names by other ways (exec, globals, ...).
 * What other modules might do to this one is beyond the question.
 */
#include "alembic/scan.h"

#include <string.h>

#include "alembic/assign.h"

/* What the lines that are indented below the last line of column 0 belong to. */
enum block {
	BLOCK_SCOPE, /* a function or a class */
	BLOCK_OTHER, /* they run, or not, as module level */
};

/* One file while it is read. */
struct scan {
	struct ath_word_cursor cursor;
	struct ath_arena *arena; /* borrowed */
	struct ath_scan_field fields[ATH_SCAN_KEY_COUNT_];
	bool is_final[ATH_SCAN_KEY_COUNT_];   /* escalated for good */
	bool is_mutable[ATH_SCAN_KEY_COUNT_]; /* the value is a list, written with [] */
	bool is_read[ATH_SCAN_KEY_COUNT_];    /* named where it is not bound */
	unsigned getattr_line;                /* of a module-level __getattr__, or 0 */
	enum block block;
};

/* One logical line while it is weighed. */
struct line {
	bool is_scope;                       /* begins a function or class */
	bool is_inner;                       /* belongs to the body of one */
	bool may_bind;                       /* not only by "=" */
	bool is_global;                      /* behind "global" */
	unsigned named[ATH_SCAN_KEY_COUNT_]; /* line where a key stands that "=" would bind, or 0 */
	const char *module, *module_end;     /* between "from" and "import", or NULL */
};

/* From here on the key is not certain, whatever follows; the first reason stands. */
static void escalate(struct scan *scan, enum ath_scan_key key, unsigned line, const char *reason)
{
	if (scan->is_final[key])
		return;
	scan->is_final[key] = true;
	scan->fields[key] = (struct ath_scan_field){ .state = ATH_SCAN_ESCALATE,
						     .reason = reason,
						     .line = line };
}

static void escalate_all(struct scan *scan, unsigned line, const char *reason)
{
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++)
		escalate(scan, key, line, reason);
}

/* A line at column 0 that begins with a key; true: it is done with, false: weigh it. */
static bool try_assignment(struct scan *scan)
{
	struct ath_word_cursor start = scan->cursor;
	enum ath_scan_key key = start.row->key;
	struct ath_assign assign;

	switch (ath_assign_read(&scan->cursor, scan->arena, &assign)) {
	case ATH_ASSIGN_DONE:
		if (!scan->is_final[key])
			scan->fields[key] = assign.field;
		scan->is_mutable[key] = assign.is_mutable;
		scan->block = BLOCK_OTHER;
		return true;
	case ATH_ASSIGN_REFUSED:
		escalate(scan, key, assign.field.line, assign.field.reason);
		break;
	default:
		break;
	}
	scan->cursor = start;
	return false;
}

/* Is the module between "from" and "import" that one? A name with a final dot: or one in it. */
static bool is_module(const struct line *line, const char *name)
{
	const char *at = line->module, *end = line->module_end;
	size_t len = strlen(name);

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (name[len - 1] == '.' && (size_t)(end - at) == len - 1)
		len--;
	return (size_t)(end - at) >= len && memcmp(at, name, len) == 0 &&
	       ((size_t)(end - at) == len || name[len - 1] == '.');
}

/* "from x import *" may bind any name; a later assignment overrides it. */
static void weigh_star(struct scan *scan, const struct line *line)
{
	/* the public names of these are known, and none of the four is among them */
	if (line->module && (is_module(line, "sqlalchemy.") || is_module(line, "alembic") ||
			     is_module(line, "alembic.op")))
		return;
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
		if (!scan->is_final[key])
			scan->fields[key] = (struct ath_scan_field){
				.state = ATH_SCAN_ESCALATE,
				.reason = "an import of everything may bring the name",
				.line = scan->cursor.token.line,
			};
	}
}

/* A key that is no attribute. Its next token is needed, so this steps forward. */
static void weigh_key(struct scan *scan, struct line *line)
{
	enum ath_scan_key key = scan->cursor.row->key;
	unsigned at = scan->cursor.token.line, depth = scan->cursor.reader.depth;

	ath_word_advance(&scan->cursor);
	if (line->is_global)
		escalate(scan, key, at, "a function declares the name global");
	if (line->is_inner) {
		scan->is_read[key] = true;
	} else if (ath_word_is_sign(&scan->cursor, ATH_TOKEN_WALRUS)) {
		escalate(scan, key, at, "the name is bound inside an expression");
	} else if (depth && ath_word_is_sign(&scan->cursor, '=')) {
		return;
	} else if ((line->is_scope && depth) ||
		   (ath_word_is_sign(&scan->cursor, '.') && !line->module_end)) {
		scan->is_read[key] = true; /* also KEY.x, but for "import KEY.x" */
	} else {
		line->named[key] = at;
	}
}

/* Keys left of an assignment sign are its targets, or might be. */
static void weigh_named(struct scan *scan, struct line *line, bool is_bound)
{
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
		if (!line->named[key])
			continue;
		if (is_bound)
			escalate(scan, key, line->named[key],
				 "the name may be bound in a way other than a plain assignment");
		else
			scan->is_read[key] = true;
		line->named[key] = 0;
	}
}

/* Is a word that can lead to the module's own names used for that? `is_attribute`: behind a dot. */
static bool reaches_names(const struct ath_word_row *row, const struct line *line,
			  bool is_attribute)
{
	switch (row->word) {
	case ATH_WORD_REFLECT:
		return !is_attribute || row->text[0] == '_' || strlen(row->text) > 8;
	case ATH_WORD_LOOK:
		return !line->is_inner;
	case ATH_WORD_MODULES:
		if (line->module && line->module_end)
			return is_module(line, "sys");
		return is_attribute && !line->module && !line->module_end;
	default:
		return false;
	}
}

/* A formatted string holds expressions: its words are weighed, be they text or not. */
static void weigh_formatted(struct scan *scan, const struct line *line)
{
	const struct ath_token *token = &scan->cursor.token;
	const char *at = token->text + 1, *end = token->text + token->len - 1; /* the last quote */

	while (at < end) {
		const char *word = at;
		const struct ath_word_row *row;

		while (at < end && (*at == '_' || (unsigned char)((*at | 0x20) - 'a') < 26))
			at++;
		row = ath_word_find(word, at - word);
		if ((row && reaches_names(row, line, word[-1] == '.')) ||
		    (!line->is_inner && at[0] == ':' && at[1] == '='))
			escalate_all(scan, token->line, "a formatted string may bind a name");
		at += at == word;
	}
}

/* Words that matter anywhere in a line. */
static void weigh_word(struct scan *scan, struct line *line, bool is_attribute)
{
	const struct ath_token *token = &scan->cursor.token;

	if (reaches_names(scan->cursor.row, line, is_attribute))
		escalate_all(scan, token->line, "the file may reach its own names");
	switch (scan->cursor.row->word) {
	case ATH_WORD_GETATTR:
		if (!line->is_inner && !is_attribute)
			scan->getattr_line = token->line;
		break;
	case ATH_WORD_FROM:
		line->module = token->text + token->len;
		line->module_end = NULL;
		break;
	case ATH_WORD_IMPORT:
		line->module_end = token->text;
		weigh_named(scan, line, false);
		line->may_bind = true;
		break;
	case ATH_WORD_GLOBAL:
		line->is_global = true;
		line->may_bind = true;
		break;
	default:
		break;
	}
}

/* What follows is a statement of its own; a line with several is not read closely. */
static void weigh_semicolon(struct scan *scan, struct line *line)
{
	weigh_named(scan, line, true);
	*line = (struct line){ .may_bind = true, .is_inner = line->is_inner };
}

/* The first token of a line says most about it. */
static struct line start_line(struct scan *scan)
{
	bool is_indented = scan->cursor.reader.indent > 0;
	struct line line = { .is_inner = is_indented && scan->block == BLOCK_SCOPE };

	line.is_scope = !is_indented && ath_word_is(&scan->cursor, ATH_WORD_SCOPE);
	line.may_bind = is_indented || line.is_scope || ath_word_is(&scan->cursor, ATH_WORD_BINDS);
	if (!is_indented)
		scan->block = line.is_scope ? BLOCK_SCOPE : BLOCK_OTHER;
	return line;
}

/* Any logical line that is no plain assignment. */
static void weigh_line(struct scan *scan)
{
	struct line line = start_line(scan);
	bool is_attribute = false, is_import = false;

	while (ath_word_has_more(&scan->cursor)) {
		bool is_dot = ath_word_is_sign(&scan->cursor, '.');
		bool is_import_word = ath_word_is(&scan->cursor, ATH_WORD_IMPORT);

		if (ath_word_is(&scan->cursor, ATH_WORD_KEY) && !is_attribute) {
			weigh_key(scan, &line);
			is_attribute = is_import = false;
			continue;
		}
		if (scan->cursor.token.is_formatted)
			weigh_formatted(scan, &line);
		else if (scan->cursor.row)
			weigh_word(scan, &line, is_attribute);
		else if (ath_word_is_sign(&scan->cursor, ';'))
			weigh_semicolon(scan, &line);
		else if (ath_word_is_sign(&scan->cursor, '*') && is_import)
			weigh_star(scan, &line);
		else if (!scan->cursor.reader.depth &&
			 (ath_word_is_sign(&scan->cursor, '=') ||
			  ath_word_is_sign(&scan->cursor, ATH_TOKEN_AUGMENTED)))
			weigh_named(scan, &line, true);
		is_attribute = is_dot;
		is_import = is_import_word;
		ath_word_advance(&scan->cursor);
	}
	weigh_named(scan, &line, line.may_bind);
}

/* What only the whole file tells. */
static void weigh_file(struct scan *scan)
{
	if (scan->cursor.token.kind == ATH_TOKEN_BAD)
		escalate_all(scan, scan->cursor.token.line, scan->cursor.token.reason);
	for (enum ath_scan_key key = 0; key < ATH_SCAN_KEY_COUNT_; key++) {
		struct ath_scan_field *field = &scan->fields[key];

		if (field->state == ATH_SCAN_ABSENT && scan->getattr_line)
			escalate(scan, key, scan->getattr_line, "the module makes names up");
		if (field->state == ATH_SCAN_LIST && scan->is_mutable[key] && scan->is_read[key])
			escalate(scan, key, field->line,
				 "the list may be changed where it is read");
	}
}

static unsigned line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

bool ath_scan_read(const char *name, const char *text, size_t len, struct ath_arena *arena,
		   struct ath_scan_file *out_file, struct ath_err *err)
{
	struct scan scan = { .arena = arena, .block = BLOCK_OTHER };
	const char *nul;

	if (len > ATH_SCAN_BYTES_MAX)
		return ath_err_at(err, ATH_ERR_LIMIT, (struct ath_pos){ .file = name },
				  "revision file '%s' is longer than 1 MiB", name);
	nul = len ? memchr(text, '\0', len) : NULL;
	if (nul)
		return ath_err_at(err, ATH_ERR_CHAIN,
				  (struct ath_pos){ .file = name, .line = line_of(text, nul) },
				  "revision file '%s' holds a NUL byte", name);
	ath_token_init(&scan.cursor.reader, text, len);
	for (ath_word_advance(&scan.cursor); ath_word_has_more(&scan.cursor);
	     ath_word_advance(&scan.cursor)) {
		bool is_key =
			ath_word_is(&scan.cursor, ATH_WORD_KEY) && scan.cursor.reader.indent == 0;

		if (!is_key || !try_assignment(&scan))
			weigh_line(&scan);
	}
	weigh_file(&scan);
	memcpy(out_file->fields, scan.fields, sizeof(scan.fields));
	return true;
}

const char *ath_scan_key_name(enum ath_scan_key key)
{
	static const char *const names[ATH_SCAN_KEY_COUNT_] = {
		[ATH_SCAN_REVISION] = "revision",
		[ATH_SCAN_DOWN_REVISION] = "down_revision",
		[ATH_SCAN_DEPENDS_ON] = "depends_on",
		[ATH_SCAN_BRANCH_LABELS] = "branch_labels",
	};

	return names[key];
}

bool ath_scan_is_revision_name(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && memcmp(name + len - 3, ".py", 3) == 0 && strncmp(name, ".#", 2) != 0 &&
	       strncmp(name, "__init__", 8) != 0;
}

const char *ath_scan_find_name_id(const char *name, struct ath_arena *arena)
{
	size_t len = strspn(name, "abcdef0123456789");

	return len && strcmp(name + len, ".py") == 0 ? ath_arena_strndup(arena, name, len) : NULL;
}

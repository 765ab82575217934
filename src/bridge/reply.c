/* SPDX-License-Identifier: MIT */
/* bridge/reply: reads the JSON lines of the bridge into plain structs. */
#include "bridge/reply.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "alembic/scan.h"
#include "bridge/reply_schema.h"

static const char *const events[] = {
	[ATH_BRIDGE_SAYS_HEADS] = "heads",
	[ATH_BRIDGE_SAYS_TARGET] = "target",
	[ATH_BRIDGE_SAYS_CURRENT] = "current",
	[ATH_BRIDGE_SAYS_REVISION] = "revision",
	[ATH_BRIDGE_SAYS_UPGRADED] = "upgraded",
	[ATH_BRIDGE_SAYS_STAMPED] = "stamped",
	[ATH_BRIDGE_SAYS_CREATED] = "created",
	[ATH_BRIDGE_SAYS_MISSING] = "missing",
	[ATH_BRIDGE_SAYS_RAN] = "ran",
	[ATH_BRIDGE_SAYS_NOTE] = "note",
	[ATH_BRIDGE_SAYS_EFFECTS] = "effects",
	[ATH_BRIDGE_SAYS_SCHEMA] = "schema",
	[ATH_BRIDGE_SAYS_STOPPED] = "stopped",
	[ATH_BRIDGE_SAYS_ERROR] = "error",
	[ATH_BRIDGE_SAYS_IDENTIFIERS] = "identifiers",
	[ATH_BRIDGE_SAYS_END] = "end",
};

static const char *get_text(const json_t *object, const char *key, struct ath_arena *arena)
{
	return ath_arena_strdup(arena, json_string_value(json_object_get(object, key)));
}

static struct ath_texts get_texts(const json_t *object, const char *key, struct ath_arena *arena)
{
	const json_t *list = json_object_get(object, key);
	const char **items = ath_arena_new(arena, json_array_size(list) + 1, sizeof(*items));
	struct ath_texts texts = { .items = items };

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text)
			items[texts.len++] = ath_arena_strdup(arena, text);
	}
	return texts;
}

static void read_entries(const json_t *root, struct ath_arena *arena, struct ath_bridge_reply *out)
{
	const json_t *list = json_object_get(root, "revisions");
	size_t len = json_array_size(list);
	struct ath_chain_entry *entries = ath_arena_new(arena, len, sizeof(*entries));

	for (size_t i = 0; i < len; i++) {
		const json_t *one = json_array_get(list, i);
		const char *id = get_text(one, "id", arena), *path = get_text(one, "path", arena);

		entries[i] = (struct ath_chain_entry){
			.id = id ? id : "",
			.downs = get_texts(one, "down", arena),
			.depends_on = get_texts(one, "depends_on", arena),
			.labels = get_texts(one, "labels", arena),
			.file = path ? path : "",
		};
	}
	out->entries = entries;
	out->entries_len = len;
	out->script = get_text(root, "script", arena);
	out->locations = get_texts(root, "locations", arena);
	out->sources = get_texts(root, "sources", arena);
	out->is_recursive = json_is_true(json_object_get(root, "recursive"));
}

static const char *const states[ATH_SCAN_STATE_COUNT_] = {
	[ATH_SCAN_ABSENT] = "absent", [ATH_SCAN_NONE] = "none",         [ATH_SCAN_TEXT] = "text",
	[ATH_SCAN_LIST] = "list",     [ATH_SCAN_ESCALATE] = "escalate",
};

static bool is_plain(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* Does it hold what its state promises? */
static bool is_whole(const struct ath_scan_field *field, size_t told)
{
	bool is_text = field->state == ATH_SCAN_TEXT, is_list = field->state == ATH_SCAN_LIST;

	for (size_t i = 0; i < field->texts.len; i++) {
		if (!is_plain(field->texts.items[i]))
			return false;
	}
	return field->texts.len == told && (is_list || told == (is_text ? 1 : 0));
}

static struct ath_scan_field read_field(const json_t *object, struct ath_arena *arena)
{
	const char *state = json_string_value(json_object_get(object, "state"));
	json_int_t line = json_integer_value(json_object_get(object, "line"));
	const char *reason = get_text(object, "reason", arena);
	struct ath_scan_field field = {
		.state = ATH_SCAN_ESCALATE,
		.texts = get_texts(object, "texts", arena),
		.line = line > 0 && line < INT_MAX ? (unsigned)line : 0,
	};

	for (unsigned i = 0; state && i < ATH_SCAN_STATE_COUNT_; i++) {
		if (strcmp(states[i], state) == 0)
			field.state = (enum ath_scan_state)i;
	}
	if (!is_whole(&field, json_array_size(json_object_get(object, "texts"))))
		field.state = ATH_SCAN_ESCALATE;
	if (field.state == ATH_SCAN_ESCALATE) {
		field.reason = reason ? reason : "Python's answer is not understood";
		field.texts.len = 0;
	}
	return field;
}

static void read_identifiers(const json_t *root, struct ath_arena *arena,
			     struct ath_bridge_reply *out)
{
	const json_t *fields = json_object_get(root, "fields");

	out->is_parsed = json_is_true(json_object_get(root, "parsed"));
	for (unsigned i = 0; i < ATH_SCAN_KEY_COUNT_; i++)
		out->identifiers.fields[i] =
			read_field(json_object_get(fields, ath_scan_key_name(i)), arena);
}

static bool read_event(const json_t *root, struct ath_bridge_reply *out)
{
	const char *name = json_string_value(json_object_get(root, "event"));

	for (unsigned i = 0; name && i < ATH_BRIDGE_SAYS_COUNT_; i++) {
		if (strcmp(events[i], name) == 0) {
			out->event = (enum ath_bridge_event)i;
			return true;
		}
	}
	return false;
}

/* Members that several events share have one key each, so all are read alike. */
static void read_members(const json_t *root, struct ath_arena *arena, struct ath_bridge_reply *out)
{
	bool is_revision =
		out->event == ATH_BRIDGE_SAYS_REVISION || out->event == ATH_BRIDGE_SAYS_IDENTIFIERS;

	out->heads = get_texts(root, "heads", arena);
	out->alembic = get_text(root, "alembic", arena);
	out->sqlalchemy = get_text(root, "sqlalchemy", arena);
	out->url = get_text(root, "url", arena);
	out->dialect = get_text(root, "dialect", arena);
	out->driver = get_text(root, "driver", arena);
	out->path = get_text(root, "path", arena);
	out->version_table = get_text(root, "version_table", arena);
	out->version_table_schema = get_text(root, "version_table_schema", arena);
	out->several = json_is_true(json_object_get(root, "several"));
	out->paths = get_texts(root, "paths", arena);
	out->tables = get_texts(
		root, out->event == ATH_BRIDGE_SAYS_TARGET ? "metadata_tables" : "tables", arena);
	out->columns = get_texts(root, "columns", arena);
	out->has_rows = json_is_array(json_object_get(root, "rows"));
	out->rows = get_texts(root, "rows", arena);
	out->revision = get_text(root, is_revision ? "id" : "revision", arena);
	out->state = get_text(root, "state", arena);
	out->message = get_text(root, "message", arena);
	out->kind = get_text(root, "kind", arena);
	out->where = get_text(root, "where", arena);
	out->is_of_schema = json_is_true(json_object_get(root, "schema"));
}

static void read_schema(const json_t *root, struct ath_arena *arena, struct ath_bridge_reply *out)
{
	struct ath_texts removed = get_texts(root, "removed", arena);
	const char **items = ath_arena_new(arena, removed.len + 1, sizeof(*items));

	for (size_t i = 0; i < removed.len; i++)
		items[i] = ath_element_fold(arena, removed.items[i]);
	out->removed = (struct ath_texts){ items, removed.len };
	out->elements = ath_bridge_read_schema(root, arena, &out->tables);
}

bool ath_bridge_read(const char *line, size_t len, struct ath_arena *arena,
		     struct ath_bridge_reply *out, struct ath_err *err)
{
	struct ath_bridge_reply reply = { 0 };
	json_error_t fault;
	json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault);
	bool is_read = json_is_object(root) && read_event(root, &reply);

	if (!is_read)
		ath_err_set(err, ATH_ERR_BRIDGE, "the bridge sent a line that is no reply: %s",
			    root ? "unknown event" : fault.text);
	if (is_read) {
		read_members(root, arena, &reply);
		if (reply.event == ATH_BRIDGE_SAYS_HEADS)
			read_entries(root, arena, &reply);
		if (reply.event == ATH_BRIDGE_SAYS_IDENTIFIERS)
			read_identifiers(root, arena, &reply);
		if (reply.event == ATH_BRIDGE_SAYS_EFFECTS)
			reply.effects = ath_bridge_read_effects(root, arena);
		if (reply.event == ATH_BRIDGE_SAYS_SCHEMA)
			read_schema(root, arena, &reply);
		*out = reply;
	}
	json_decref(root);
	return is_read;
}

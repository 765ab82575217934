/* SPDX-License-Identifier: MIT */
/* facts/chain: the revision files of a project, read or only looked at, without Python. */
#include "facts/chain.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/ini.h"
#include "alembic/scan.h"
#include "base/str.h"
#include "base/vec.h"
#include "os/file.h"

/* Folders of one environment, absolute; items in the arena. */
struct folders {
	ATH_VEC(const char *) versions; /* owned array */
	const char *script;
	const char *obstacle;
	bool is_recursive;
	bool is_below_script; /* the only version folder is the script folder's own */
};

static const char *arena_join(struct ath_arena *arena, const char *folder, const char *path)
{
	char *joined = ath_file_join(folder, path);
	const char *copy = ath_arena_strdup(arena, joined);

	free(joined);
	return copy;
}

static const char *ini_folder(const struct ath_facts_chain_place *place, struct ath_arena *arena)
{
	const char *path = arena_join(arena, place->root, place->alembic);
	char *parent = ath_file_parent(path);
	const char *copy = ath_arena_strdup(arena, parent);

	free(parent);
	return copy;
}

static bool read_ini(const struct ath_facts_chain_place *place, struct ath_arena *arena,
		     struct ath_ini *out_ini, struct ath_err *err)
{
	const char *path = arena_join(arena, place->root, place->alembic);
	struct ath_str text = { 0 };
	struct ath_ini_source source = { .name = path, .here = ini_folder(place, arena) };
	bool is_read = ath_file_read(path, ATH_INI_BYTES_MAX, &text, err);

	source.text = ath_str_get(&text);
	source.len = text.len;
	if (is_read && ath_str_has_suffix(path, ".toml"))
		is_read = ath_ini_read_toml(&source, arena, out_ini, err);
	else if (is_read)
		is_read = ath_ini_read(&source, place->section, arena, out_ini, err);
	ath_str_fini(&text);
	return is_read;
}

static bool has_file(const char *folder, const char *name, struct ath_arena *arena)
{
	return ath_file_kind(arena_join(arena, folder, name)) == ATH_FILE_REGULAR;
}

/* Flask-Migrate states no script_location: its scripts are where the ini is. */
static bool is_flask(const struct ath_facts_chain_place *place, const struct ath_ini *ini,
		     struct ath_arena *arena)
{
	return ini->fields[ATH_INI_SCRIPT_LOCATION].state == ATH_INI_ABSENT &&
	       has_file(ini_folder(place, arena), "env.py", arena);
}

/* `flask` is typed beside its application: above the scripts, or in the application's folder. */
static const char *flask_folder(const struct ath_facts_chain_place *place, struct ath_arena *arena)
{
	static const char *const names[] = { ".flaskenv", "wsgi.py", "app.py", "app/__init__.py" };
	char *parent = ath_file_parent(ini_folder(place, arena));
	const char *above = ath_arena_strdup(arena, parent);
	bool is_above = false, is_root = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		is_above = is_above || has_file(above, names[i], arena);
		is_root = is_root || has_file(place->root, names[i], arena);
	}
	free(parent);
	return is_above && !is_root ? above : place->root;
}

/* Relative locations start where `alembic` is typed: beside the ini, or in the application's folder. */
static const char *base_folder(const struct ath_facts_chain_place *place, const struct ath_ini *ini,
			       struct ath_arena *arena)
{
	const struct ath_ini_field *script = &ini->fields[ATH_INI_SCRIPT_LOCATION];
	const char *here = ini_folder(place, arena);

	if (script->state == ATH_INI_VALUE &&
	    ath_file_kind(arena_join(arena, here, script->text)) != ATH_FILE_FOLDER &&
	    ath_file_kind(arena_join(arena, place->root, script->text)) == ATH_FILE_FOLDER)
		return place->root;
	return here;
}

const char *ath_facts_chain_cwd(const struct ath_facts_chain_place *place, struct ath_arena *arena)
{
	struct ath_ini ini = { 0 };
	struct ath_err err = { 0 };

	if (!read_ini(place, arena, &ini, &err))
		return ini_folder(place, arena);
	return is_flask(place, &ini, arena) ? flask_folder(place, arena)
					    : base_folder(place, &ini, arena);
}

static void use_known(const struct ath_facts_chain_place *place, struct folders *folders)
{
	for (size_t i = 0; i < place->known.len; i++)
		*ath_vec_push(&folders->versions) = place->known.items[i];
}

static void find_folders(const struct ath_facts_chain_place *place, const struct ath_ini *ini,
			 struct ath_arena *arena, struct folders *out)
{
	const struct ath_ini_field *script = &ini->fields[ATH_INI_SCRIPT_LOCATION];
	const struct ath_ini_field *versions = &ini->fields[ATH_INI_VERSION_LOCATIONS];
	const struct ath_ini_field *deep = &ini->fields[ATH_INI_RECURSIVE_VERSION_LOCATIONS];
	const struct ath_ini_field *compiled = &ini->fields[ATH_INI_SOURCELESS];
	const char *here = base_folder(place, ini, arena);

	if (script->state == ATH_INI_VALUE)
		out->script = arena_join(arena, here, script->text);
	else if (is_flask(place, ini, arena))
		out->script = ini_folder(place, arena);
	out->is_recursive = deep->state == ATH_INI_VALUE && strcmp(deep->text, "true") == 0;
	if (!out->script)
		out->obstacle = script->state == ATH_INI_ABSENT ? "no script_location is stated"
								: script->reason;
	else if (versions->state == ATH_INI_NOT_STATIC)
		out->obstacle = versions->reason;
	else if (deep->state == ATH_INI_NOT_STATIC)
		out->obstacle = deep->reason;
	else if (compiled->state == ATH_INI_NOT_STATIC)
		out->obstacle = compiled->reason;
	else if (compiled->state == ATH_INI_VALUE && strcmp(compiled->text, "true") == 0)
		out->obstacle = "revisions may be compiled files (sourceless)";
	if (out->obstacle) {
		use_known(place, out);
	} else if (versions->state == ATH_INI_VALUE) {
		for (size_t i = 0; i < versions->texts.len; i++)
			*ath_vec_push(&out->versions) =
				arena_join(arena, here, versions->texts.items[i]);
	} else {
		out->is_below_script = true;
		*ath_vec_push(&out->versions) = arena_join(arena, out->script, "versions");
	}
}

/* Revision files of one folder, in order of their names. */
struct file_list {
	struct ath_arena *arena;
	const char *folder;
	ATH_VEC(const char *) files;         /* owned array */
	ATH_VEC(const char *) folders;       /* owned array; below, where wanted */
	ATH_VEC(struct ath_file_stamp) seen; /* owned array; of the folders that were read */
	bool is_recursive;
};

static bool add_entry(void *user, const char *name, bool is_folder)
{
	struct file_list *list = user;

	if (is_folder && list->is_recursive && strcmp(name, "__pycache__") != 0)
		*ath_vec_push(&list->folders) = arena_join(list->arena, list->folder, name);
	if (!is_folder && ath_scan_is_revision_name(name))
		*ath_vec_push(&list->files) = arena_join(list->arena, list->folder, name);
	return true;
}

/* Has the folder been read under another name? As in Alembic, each file counts once. */
static bool is_repeated(struct file_list *list, const char *folder)
{
	struct ath_file_stamp stamp;

	if (!ath_file_stamp(folder, &stamp))
		return false;
	ath_vec_each (&list->seen, one) {
		if (one->ino == stamp.ino && one->dev == stamp.dev)
			return true;
	}
	*ath_vec_push(&list->seen) = stamp;
	return false;
}

/* All revision files below the version folders; a folder that is not there has none. */
static bool list_files(const struct folders *folders, struct ath_arena *arena,
		       struct file_list *out, struct ath_err *err)
{
	*out = (struct file_list){ .arena = arena, .is_recursive = folders->is_recursive };
	ath_vec_each (&folders->versions, one)
		*ath_vec_push(&out->folders) = *one;
	for (size_t i = 0; i < out->folders.len; i++) {
		out->folder = out->folders.items[i];
		if (is_repeated(out, out->folder) ||
		    ath_file_list(out->folder, add_entry, out, err))
			continue;
		if (err->code != ATH_ERR_NOT_FOUND)
			return false;
		ath_err_clear(err);
	}
	if (out->files.len > ATH_SCAN_FILES_MAX)
		return ath_err_set(err, ATH_ERR_LIMIT, "more than %d revision files",
				   ATH_SCAN_FILES_MAX);
	return true;
}

/* Turn a scan into an entry; false if a field has to be asked for. */
static bool fill_entry(const struct ath_scan_file *file, const char *path, struct ath_arena *arena,
		       struct ath_chain_entry *out, const char **out_obstacle)
{
	const struct ath_scan_field *id = &file->fields[ATH_SCAN_REVISION];
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < ATH_SCAN_KEY_COUNT_; i++) {
		if (file->fields[i].state == ATH_SCAN_ESCALATE) {
			*out_obstacle =
				ath_arena_printf(arena, "%s:%u: %s", path, file->fields[i].line,
						 file->fields[i].reason);
			return false;
		}
	}
	*out = (struct ath_chain_entry){
		.id = id->state == ATH_SCAN_TEXT ? id->texts.items[0]
						 : ath_scan_find_name_id(slash + 1, arena),
		.downs = file->fields[ATH_SCAN_DOWN_REVISION].texts,
		.depends_on = file->fields[ATH_SCAN_DEPENDS_ON].texts,
		.labels = file->fields[ATH_SCAN_BRANCH_LABELS].texts,
		.file = path,
		.line = id->line,
	};
	return true;
}

static bool read_entry(const char *path, struct ath_facts_chain *chain, struct ath_chain_entry *out,
		       struct ath_err *err)
{
	struct ath_scan_file scanned;
	struct ath_str text = { 0 };
	bool is_read =
		ath_file_read(path, ATH_SCAN_BYTES_MAX, &text, err) &&
		ath_scan_read(path, ath_str_get(&text), text.len, &chain->arena, &scanned, err);

	ath_str_fini(&text);
	if (is_read && !chain->obstacle)
		(void)fill_entry(&scanned, path, &chain->arena, out, &chain->obstacle);
	return is_read;
}

static bool read_files(struct ath_facts_chain *chain, const struct file_list *list,
		       struct ath_err *err)
{
	struct ath_chain_entry *entries =
		ath_arena_new(&chain->arena, list->files.len + 1, sizeof(*entries));

	for (size_t i = 0; i < list->files.len; i++) {
		if (!read_entry(list->files.items[i], chain, &entries[i], err))
			return false;
	}
	if (!chain->obstacle) {
		chain->entries = entries;
		chain->entries_len = list->files.len;
	}
	return true;
}

static bool build(struct ath_facts_chain *chain, struct ath_err *err)
{
	for (size_t i = 0; i < chain->entries_len && !chain->obstacle; i++) {
		if (!chain->entries[i].id)
			chain->obstacle =
				ath_arena_printf(&chain->arena, "%s: no revision is assigned",
						 chain->entries[i].file);
	}
	if (chain->obstacle)
		return true;
	if (!ath_chain_build(chain->entries, chain->entries_len, &chain->arena, &chain->chain, err))
		return false;
	chain->is_static = true;
	return true;
}

static void keep_folders(struct ath_facts_chain *chain, const struct folders *folders)
{
	const char **items =
		ath_arena_new(&chain->arena, folders->versions.len + 1, sizeof(*items));

	for (size_t i = 0; i < folders->versions.len; i++)
		items[i] = ath_arena_strdup(&chain->arena, folders->versions.items[i]);
	chain->locations = (struct ath_texts){ items, folders->versions.len };
	chain->script = folders->script;
	chain->obstacle = folders->obstacle;
}

/* The position's file name dies with the arena, so it moves into the message. */
static void keep_position(struct ath_err *err)
{
	if (err->pos.file)
		ath_err_prefix(err, "%s:%u", err->pos.file, err->pos.line);
	err->pos = (struct ath_pos){ 0 };
}

static bool check_script(const struct ath_facts_chain_place *place, const struct folders *folders,
			 struct ath_err *err)
{
	return !folders->is_below_script || ath_file_kind(folders->script) == ATH_FILE_FOLDER ||
	       ath_err_set(err, ATH_ERR_CHAIN,
			   "script_location of '%s' leads to '%s', and there is no such folder",
			   place->alembic, folders->script);
}

static bool load(const struct ath_facts_chain_place *place, bool must_build,
		 struct ath_facts_chain *out, struct ath_err *err)
{
	struct ath_facts_chain chain = { 0 };
	struct folders folders = { 0 };
	struct file_list list = { 0 };
	struct ath_ini ini = { 0 };
	bool is_loaded = read_ini(place, &chain.arena, &ini, err);

	if (is_loaded) {
		find_folders(place, &ini, &chain.arena, &folders);
		is_loaded = check_script(place, &folders, err);
	}
	if (is_loaded) {
		keep_folders(&chain, &folders);
		is_loaded = list_files(&folders, &chain.arena, &list, err) &&
			    read_files(&chain, &list, err) && (!must_build || build(&chain, err));
	}
	ath_vec_fini(&folders.versions);
	ath_vec_fini(&list.files);
	ath_vec_fini(&list.folders);
	ath_vec_fini(&list.seen);
	if (!is_loaded) {
		keep_position(err);
		ath_facts_chain_fini(&chain);
		return false;
	}
	*out = chain;
	return true;
}

bool ath_facts_chain_load(const struct ath_facts_chain_place *place, struct ath_facts_chain *out,
			  struct ath_err *err)
{
	return load(place, true, out, err);
}

bool ath_facts_chain_scan(const struct ath_facts_chain_place *place, struct ath_facts_chain *out,
			  struct ath_err *err)
{
	return load(place, false, out, err);
}

void ath_facts_chain_fini(struct ath_facts_chain *chain)
{
	ath_arena_fini(&chain->arena);
	*chain = (struct ath_facts_chain){ 0 };
}

static void add_stamp(struct ath_hash *hash, const char *path)
{
	struct ath_file_stamp stamp;

	ath_hash_add_text(hash, path);
	if (ath_file_stamp(path, &stamp)) {
		ath_hash_add(hash, &stamp.size, sizeof(stamp.size));
		ath_hash_add(hash, &stamp.mtime_ns, sizeof(stamp.mtime_ns));
		ath_hash_add(hash, &stamp.ctime_ns, sizeof(stamp.ctime_ns));
		ath_hash_add(hash, &stamp.ino, sizeof(stamp.ino));
	}
}

void ath_facts_chain_stamp(const struct ath_facts_chain_place *place, struct ath_arena *arena,
			   const char **out_env_py, char out_text[ATH_HASH_TEXT])
{
	struct ath_hash hash = ath_hash_start();
	struct folders folders = { 0 };
	struct file_list list = { 0 };
	struct ath_ini ini = { 0 };
	struct ath_err err = { 0 };

	*out_env_py = NULL;
	add_stamp(&hash, arena_join(arena, place->root, place->alembic));
	if (read_ini(place, arena, &ini, &err)) {
		find_folders(place, &ini, arena, &folders);
		if (folders.script) {
			*out_env_py = arena_join(arena, folders.script, "env.py");
			add_stamp(&hash, *out_env_py);
		}
		if (list_files(&folders, arena, &list, &err)) {
			ath_vec_each (&list.files, one)
				add_stamp(&hash, *one);
		}
	}
	ath_vec_fini(&folders.versions);
	ath_vec_fini(&list.files);
	ath_vec_fini(&list.folders);
	ath_vec_fini(&list.seen);
	ath_hash_text(hash, out_text);
}

static int compare_texts(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

const char *ath_facts_chain_heads(struct ath_facts_chain *chain)
{
	size_t len = chain->chain.heads.len;
	const char **ids = ath_arena_new(&chain->arena, len, sizeof(*ids));
	struct ath_str joined = { 0 };
	const char *text;

	for (size_t i = 0; i < len; i++)
		ids[i] = chain->chain.entries[chain->chain.heads.items[i]].id;
	if (len)
		qsort(ids, len, sizeof(*ids), compare_texts);
	for (size_t i = 0; i < len; i++)
		ath_str_printf(&joined, "%s%s", i ? "," : "", ids[i]);
	text = ath_arena_strdup(&chain->arena, ath_str_get(&joined));
	ath_str_fini(&joined);
	return text;
}

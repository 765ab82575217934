/* SPDX-License-Identifier: MIT */
/* facts/chain_folders: where the revision files of a project are. */
#include "facts/chain_folders.h"

#include <stdlib.h>
#include <string.h>

#include "alembic/ini.h"
#include "alembic/scan.h"
#include "base/str.h"
#include "facts/chain_place.h"

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

const char *ath_facts_folders_find_cwd(const struct ath_facts_chain_place *place,
				       struct ath_arena *arena)
{
	struct ath_ini ini = { 0 };
	struct ath_err err = { 0 };

	if (!read_ini(place, arena, &ini, &err))
		return ini_folder(place, arena);
	return is_flask(place, &ini, arena) ? flask_folder(place, arena)
					    : base_folder(place, &ini, arena);
}

static void find_folders(const struct ath_facts_chain_place *place, const struct ath_ini *ini,
			 struct ath_arena *arena, struct ath_facts_folders *out)
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
	out->may_be_compiled =
		compiled->state == ATH_INI_NOT_STATIC ||
		(compiled->state == ATH_INI_VALUE && strcmp(compiled->text, "true") == 0);
	if (out->obstacle) {
		for (size_t i = 0; i < place->known.len; i++)
			*ath_vec_push(&out->versions) = place->known.items[i];
	} else if (versions->state == ATH_INI_VALUE) {
		for (size_t i = 0; i < versions->texts.len; i++)
			*ath_vec_push(&out->versions) =
				arena_join(arena, here, versions->texts.items[i]);
	} else {
		out->is_below_script = true;
		*ath_vec_push(&out->versions) = arena_join(arena, out->script, "versions");
	}
}

bool ath_facts_folders_find(const struct ath_facts_chain_place *place, struct ath_arena *arena,
			    struct ath_facts_folders *out, struct ath_err *err)
{
	struct ath_ini ini = { 0 };

	if (!read_ini(place, arena, &ini, err))
		return false;
	find_folders(place, &ini, arena, out);
	return true;
}

void ath_facts_folders_fini(struct ath_facts_folders *folders)
{
	ath_vec_fini(&folders->versions);
	*folders = (struct ath_facts_folders){ 0 };
}

/* Files of one folder after the other, in order of their names. */
struct file_list {
	struct ath_facts_files *out;
	struct ath_arena *arena;
	const char *folder;
	ATH_VEC(const char *) folders; /* owned array; those below, too, where wanted */
	bool is_recursive;
	bool is_every; /* not the revision files alone */
};

static bool add_entry(void *user, const char *name, bool is_folder)
{
	struct file_list *list = user;

	if (is_folder && list->is_recursive && strcmp(name, "__pycache__") != 0)
		*ath_vec_push(&list->folders) = arena_join(list->arena, list->folder, name);
	if (!is_folder && (list->is_every ? name[0] != '.' : ath_scan_is_revision_name(name)))
		*ath_vec_push(&list->out->files) = arena_join(list->arena, list->folder, name);
	return true;
}

/* Has the folder been read under another name? As in Alembic, each file counts once. */
static bool is_repeated(struct file_list *list, const char *folder)
{
	struct ath_file_stamp stamp;

	if (!ath_file_stamp(folder, &stamp))
		return false;
	ath_vec_each (&list->out->folders, one) {
		if (one->ino == stamp.ino && one->dev == stamp.dev)
			return true;
	}
	*ath_vec_push(&list->out->folders) = stamp;
	return false;
}

static bool list_folders(struct file_list *list, struct ath_err *err)
{
	for (size_t i = 0; i < list->folders.len; i++) {
		list->folder = list->folders.items[i];
		if (is_repeated(list, list->folder) ||
		    ath_file_list(list->folder, add_entry, list, err))
			continue;
		if (err->code != ATH_ERR_NOT_FOUND)
			return false;
		ath_err_clear(err);
	}
	if (list->out->files.len > ATH_SCAN_FILES_MAX)
		return ath_err_set(err, ATH_ERR_LIMIT, "more than %d revision files",
				   ATH_SCAN_FILES_MAX);
	return true;
}

static bool list_files(const struct ath_facts_folders *folders, bool is_every,
		       struct ath_arena *arena, struct ath_facts_files *out, struct ath_err *err)
{
	struct file_list list = { .out = out,
				  .arena = arena,
				  .is_recursive = is_every || folders->is_recursive,
				  .is_every = is_every };
	bool is_listed;

	ath_vec_each (&folders->versions, one)
		*ath_vec_push(&list.folders) = *one;
	is_listed = list_folders(&list, err);
	ath_vec_fini(&list.folders);
	return is_listed;
}

bool ath_facts_folders_list(const struct ath_facts_folders *folders, struct ath_arena *arena,
			    struct ath_facts_files *out, struct ath_err *err)
{
	return list_files(folders, false, arena, out, err);
}

bool ath_facts_folders_list_every(const struct ath_facts_folders *folders, struct ath_arena *arena,
				  struct ath_facts_files *out, struct ath_err *err)
{
	return list_files(folders, true, arena, out, err);
}

void ath_facts_files_fini(struct ath_facts_files *files)
{
	ath_vec_fini(&files->files);
	ath_vec_fini(&files->folders);
}

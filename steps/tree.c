/* SPDX-License-Identifier: MIT */
/* steps/tree: walks the files below a folder, with a list of folders to do instead of recursion. */
#include "steps/tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/file.h"
#include "trust/digest.h"

struct walk {
	const char *folder;               /* borrowed; the top */
	const struct ath_tree_form *form; /* borrowed */
	ATH_VEC(char *) todo;             /* owned; relative paths of folders */
	const char *here;                 /* borrowed; the one that is listed, "" for the top */
	size_t files;
};

static bool visit(void *user, const char *name, bool is_folder)
{
	struct walk *walk = user;
	char *path = ath_file_join(walk->here, name);
	char *whole = ath_file_join(walk->folder, path);
	struct stat facts;

	(void)is_folder; /* it follows links */
	if (lstat(whole, &facts) == 0 &&
	    !(walk->form->skips &&
	      walk->form->skips(walk->form->user, path, S_ISDIR(facts.st_mode)))) {
		if (S_ISDIR(facts.st_mode)) {
			*ath_vec_push(&walk->todo) = path;
			path = NULL;
		} else {
			walk->form->on_file(walk->form->user, path, &facts);
			walk->files++;
		}
	}
	free(whole);
	free(path);
	return walk->files < ATH_TREE_MOST;
}

void ath_tree_walk(const char *folder, const struct ath_tree_form *form)
{
	struct walk walk = { .folder = folder, .form = form };

	*ath_vec_push(&walk.todo) = ath_mem_strdup("");
	while (walk.todo.len) {
		char *here = walk.todo.items[--walk.todo.len];
		char *whole = ath_file_join(folder, here);
		struct ath_err ignored = { 0 };

		walk.here = here;
		if (walk.files < ATH_TREE_MOST && !ath_file_list(whole, visit, &walk, &ignored))
			ath_err_clear(&ignored); /* passed over */
		free(whole);
		free(here);
	}
	ath_vec_fini(&walk.todo);
}

void ath_tree_put_file(const char *root, const char *path, struct ath_str *out)
{
	char *whole = ath_file_join(root, path);
	char digest[ATH_DIGEST_TEXT];
	struct ath_err ignored = { 0 };

	ath_str_printf(out, "%s %s\n", path,
		       ath_digest_file(whole, 0, digest, &ignored) ? digest : "-");
	free(whole);
}

/* What a folder is told by. */
struct sum {
	struct ath_hash hash;
	bool (*skips)(void *user, const char *path, bool is_folder);
	void *user;
};

static bool skips(void *user, const char *path, bool is_folder)
{
	struct sum *sum = user;

	return sum->skips && sum->skips(sum->user, path, is_folder);
}

static void add_file(void *user, const char *path, const struct stat *facts)
{
	struct sum *sum = user;
	const int64_t numbers[] = { facts->st_size, facts->st_mtim.tv_sec, facts->st_mtim.tv_nsec };

	ath_hash_add_text(&sum->hash, path);
	ath_hash_add(&sum->hash, numbers, sizeof(numbers));
}

void ath_tree_put_path(const char *root, const char *path,
		       bool (*skip)(void *user, const char *path, bool is_folder), void *user,
		       struct ath_str *out)
{
	char *whole = ath_file_join(root, path);
	struct sum sum = { ath_hash_start(), skip, user };
	const struct ath_tree_form form = { skips, add_file, &sum };
	char text[ATH_HASH_TEXT];

	if (ath_file_kind(whole) == ATH_FILE_FOLDER) {
		ath_tree_walk(whole, &form);
		ath_hash_text(sum.hash, text);
		ath_str_printf(out, "%s/ %s\n", path, text);
	} else {
		ath_tree_put_file(root, path, out);
	}
	free(whole);
}

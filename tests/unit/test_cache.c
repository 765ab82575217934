/* SPDX-License-Identifier: MIT */
/* facts/cache: answers that are kept, found again whole or not at all, and bounded. */
#include "tests/unit/cmocka_all.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/cache.h"
#include "os/file.h"
#include "tests/unit/recipe_tree.h"

static struct ath_cache_key key_of(const char *root, unsigned number)
{
	struct ath_cache_key key = { .state_dir = root, .kind = "effects" };

	snprintf(key.digest, sizeof(key.digest), "%064x", number);
	return key;
}

static void keep(const struct ath_cache_key *key, const char *text)
{
	ath_cache_write(key, text, strlen(text));
}

/* What is found, or "nothing". */
static void check_found(const struct ath_cache_key *key, const char *wanted)
{
	struct ath_arena arena = { 0 };
	const char *bytes = "nothing";
	size_t len = strlen(bytes);

	if (ath_cache_read(key, &arena, &bytes, &len))
		assert_int_equal(bytes[len], 0);
	assert_string_equal(bytes, wanted);
	ath_arena_fini(&arena);
}

static size_t count_files(const char *root)
{
	char path[128];
	DIR *folder;
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/cache", root);
	folder = opendir(path);
	for (struct dirent *one; folder && (one = readdir(folder));)
		count += one->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return count;
}

static void an_answer_is_found_by_its_whole_key(void **state)
{
	char root[64];
	struct ath_cache_key key, other;

	(void)state;
	tree_make(root);
	key = other = key_of(root, 1);
	other.kind = "replay";
	check_found(&key, "nothing");
	keep(&key, "one\n");
	check_found(&key, "one\n");
	check_found(&other, "nothing");
	other = key_of(root, 2);
	check_found(&other, "nothing");
	keep(&key, "");
	check_found(&key, "");
	other = key_of(NULL, 1);
	keep(&other, "nowhere");
	check_found(&other, "nothing");
	tree_remove(root);
}

static void an_answer_that_is_not_as_it_was_written_is_not_there(void **state)
{
	char root[64], path[256];
	struct ath_cache_key key;
	struct stat facts;

	(void)state;
	tree_make(root);
	key = key_of(root, 1);
	keep(&key, "one\n");
	snprintf(path, sizeof(path), "%s/cache/effects-%s", root, key.digest);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	for (off_t at = 0; at < facts.st_size; at++) {
		FILE *file = fopen(path, "r+");
		int byte;

		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		byte = fgetc(file);
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		fputc(byte ^ 1, file);
		fclose(file);
		check_found(&key, "nothing");
		keep(&key, "one\n");
		assert_int_equal(truncate(path, at), 0);
		check_found(&key, "nothing");
		keep(&key, "one\n");
		check_found(&key, "one\n");
	}
	tree_remove(root);
}

static void what_is_too_large_is_not_kept(void **state)
{
	char root[64], *large = calloc(1, ATH_CACHE_BYTES_MAX + 1);
	struct ath_cache_key key;

	(void)state;
	tree_make(root);
	key = key_of(root, 1);
	ath_cache_write(&key, large, ATH_CACHE_BYTES_MAX + 1);
	check_found(&key, "nothing");
	ath_cache_write(&key, large, ATH_CACHE_BYTES_MAX);
	check_found(&key, "");
	free(large);
	tree_remove(root);
}

static void the_newest_answers_are_kept(void **state)
{
	char root[64];
	struct ath_cache_key key;

	(void)state;
	tree_make(root);
	for (unsigned i = 0; i < ATH_CACHE_FILES_MAX + 5; i++) {
		key = key_of(root, i);
		keep(&key, "answer\n");
		usleep(2000); /* file systems tell times in steps */
	}
	assert_int_equal(count_files(root), ATH_CACHE_FILES_MAX);
	check_found(&key, "answer\n");
	key = key_of(root, 4);
	check_found(&key, "nothing");
	tree_remove(root);
}

static void a_state_directory_that_is_not_there_is_not_made(void **state)
{
	char root[64], below[80];
	struct ath_cache_key key;

	(void)state;
	tree_make(root);
	snprintf(below, sizeof(below), "%s/below", root);
	key = key_of(below, 1);
	keep(&key, "one\n");
	check_found(&key, "nothing");
	assert_int_equal(ath_file_kind(below), ATH_FILE_ABSENT);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_by_its_whole_key),
		cmocka_unit_test(an_answer_that_is_not_as_it_was_written_is_not_there),
		cmocka_unit_test(what_is_too_large_is_not_kept),
		cmocka_unit_test(the_newest_answers_are_kept),
		cmocka_unit_test(a_state_directory_that_is_not_there_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

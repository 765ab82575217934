/* SPDX-License-Identifier: MIT */
/*
 * tests/fuzz/replay: runs a fuzz target over the files of folders, as an ordinary test.
 *
 * Usage: replay FOLDER...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t len = 0, cap = 0;

	if (!file) {
		perror(path);
		return -1;
	}
	do {
		cap += 65536;
		bytes = realloc(bytes, cap);
		if (!bytes)
			abort();
		len += fread(bytes + len, 1, cap - len, file);
	} while (len == cap);
	fclose(file);
	/* a copy of the exact size, so that a sanitizer sees a read behind the end */
	bytes = realloc(bytes, len ? len : 1);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return 0;
}

/* Number of files, or -1. */
static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int count = 0, len = scandir(folder, &entries, NULL, alphasort);

	if (len < 0) {
		perror(folder);
		return -1;
	}
	for (int i = 0; i < len; i++) {
		char path[4096];
		struct stat found;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		free(entries[i]);
		if (count < 0 || stat(path, &found) != 0 || !S_ISREG(found.st_mode))
			continue;
		count = replay_file(path) == 0 ? count + 1 : -1;
	}
	free(entries);
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);

		if (count <= 0) {
			fprintf(stderr, "%s: nothing was replayed\n", argv[i]);
			return 1;
		}
		printf("%s: %d inputs\n", argv[i], count);
	}
	return argc > 1 ? 0 : 1;
}

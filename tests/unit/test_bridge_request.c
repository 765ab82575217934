/* SPDX-License-Identifier: MIT */
/* bridge/request: the request as JSON, and the program in its folder. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "bridge/request.h"
#include "os/file.h"
#include "tests/unit/recipe_tree.h"

/* Write a request into `root` and read it back. */
static void write_request(const char *root, const struct ath_bridge_request *request,
			  struct ath_str *out)
{
	struct ath_err err = { 0 };
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/request.json", root);
	if (!ath_bridge_write_request(path, request, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ath_str_reset(out);
	assert_true(ath_file_read(path, 1 << 20, out, &err));
}

static void a_request_says_everything_in_order(void **state)
{
	static const char *const ids[] = { "a1", "b2", NULL };
	static const struct ath_bridge_command commands[] = {
		{ .verb = ATH_BRIDGE_HEADS },
		{ .verb = ATH_BRIDGE_TARGET },
		{ .verb = ATH_BRIDGE_CURRENT },
		{ .verb = ATH_BRIDGE_STAMP, .ids = { ids, 2 }, .purge = true },
		{ .verb = ATH_BRIDGE_UPGRADE },
		{ .verb = ATH_BRIDGE_CREATE_ALL },
		{ .verb = ATH_BRIDGE_MISSING },
		{ .verb = ATH_BRIDGE_RUN, .ids = { ids, 2 }, .cwd = "/srv" },
	};
	const struct ath_bridge_request request = {
		.config = "/srv/alembic.ini",
		.section = "alembic",
		.cwd = "/srv",
		.clone = "/run/clone.db",
		.live = "/srv/app.db",
		.commands = commands,
		.len = sizeof(commands) / sizeof(commands[0]),
	};
	struct ath_str text = { 0 };
	char root[64];

	(void)state;
	tree_make(root);
	write_request(root, &request, &text);
	assert_string_equal(
		ath_str_get(&text),
		"{\"ini\":\"/srv/alembic.ini\",\"pyproject\":null,\"section\":\"alembic\","
		"\"cwd\":\"/srv\",\"clone\":\"/run/clone.db\",\"live\":\"/srv/app.db\","
		"\"commands\":[{\"do\":\"heads\"},{\"do\":\"target\"},{\"do\":\"current\"},"
		"{\"do\":\"stamp\",\"to\":[\"a1\",\"b2\"],\"purge\":true},"
		"{\"do\":\"upgrade\",\"to\":\"heads\"},{\"do\":\"create_all\"},{\"do\":\"missing\"}"
		","
		"{\"do\":\"run\",\"argv\":[\"a1\",\"b2\"],\"cwd\":\"/srv\"}]}");
	ath_str_fini(&text);
	tree_remove(root);
}

static void a_request_replaces_the_one_before_and_escapes_its_texts(void **state)
{
	static const char *const argv[] = { "-c", "print(\"\\\n\t\x01\")", "gr\xc3\xbc\xc3\x9f",
					    NULL };
	static const struct ath_bridge_command run = { .verb = ATH_BRIDGE_RUN, .ids = { argv, 3 } };
	const struct ath_bridge_request request = { .config = "/srv/a \"b\"\\c/pyproject.toml",
						    .section = "x\ny",
						    .commands = &run };
	struct ath_bridge_request more = request;
	struct ath_str text = { 0 };
	char root[64];

	(void)state;
	tree_make(root);
	write_request(root, &request, &text);
	assert_string_equal(ath_str_get(&text),
			    "{\"ini\":null,\"pyproject\":\"/srv/a \\\"b\\\"\\\\c/pyproject.toml\","
			    "\"section\":\"x\\ny\",\"cwd\":null,\"clone\":null,\"live\":null,"
			    "\"commands\":[]}");
	more.len = 1;
	write_request(root, &more, &text);
	assert_non_null(strstr(ath_str_get(&text),
			       "\"argv\":[\"-c\",\"print(\\\"\\\\\\n\\u0009\\u0001\\\")\","
			       "\"gr\xc3\xbc\xc3\x9f\"],\"cwd\":null}]}"));
	ath_str_fini(&text);
	tree_remove(root);
}

static void a_request_that_cannot_be_written_fails(void **state)
{
	const struct ath_bridge_request request = { .config = "a.ini" };
	struct ath_err err = { 0 };
	char root[64], path[128];

	(void)state;
	tree_make(root);
	snprintf(path, sizeof(path), "%s/absent/request.json", root);
	assert_false(ath_bridge_write_request(path, &request, &err));
	assert_int_equal(err.code, ATH_ERR_IO);
	tree_remove(root);
}

static void the_program_is_written_once_under_its_hash(void **state)
{
	struct ath_arena arena = { 0 };
	struct ath_err err = { 0 };
	struct ath_str text = { 0 };
	struct stat before, after;
	const char *path, *again;
	char root[64], folder[128];

	(void)state;
	tree_make(root);
	snprintf(folder, sizeof(folder), "%s/state/bridge", root);
	assert_true(ath_bridge_write_program(folder, &arena, &path, &err));
	assert_true(ath_str_has_prefix(path, folder));
	assert_true(ath_str_has_suffix(path, ".py"));
	assert_true(ath_file_read(path, 1 << 20, &text, &err));
	assert_non_null(strstr(ath_str_get(&text), "import json"));
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_true(ath_bridge_write_program(folder, &arena, &again, &err));
	assert_string_equal(again, path);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	ath_str_fini(&text);
	ath_arena_fini(&arena);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_says_everything_in_order),
		cmocka_unit_test(a_request_replaces_the_one_before_and_escapes_its_texts),
		cmocka_unit_test(a_request_that_cannot_be_written_fails),
		cmocka_unit_test(the_program_is_written_once_under_its_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

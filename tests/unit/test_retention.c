/* SPDX-License-Identifier: MIT */
/* cli/retention: which of a list go, newest first; the marks below are those of ath_retention_item. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "cli/retention.h"

enum {
	ITEMS_MAX = 16,
};

/*
 * One letter per item, newest first: its key. In upper case it is whole, in lower case it is not; '!'
 * before it pins it. `goes` has an 'x' for each that goes, a '.' for one that stays.
 */
struct retention_case {
	const char *name;
	const char *items;
	size_t keep;
	const char *goes;
};

static const struct retention_case cases[] = {
	{ "nothing at all", "", 5, "" },
	{ "the only one stays", "A", 1, "." },
	{ "as many as are kept", "ABC", 3, "..." },
	{ "the oldest go", "ABCDE", 3, "...xx" },
	{ "one is kept, which is the newest", "ABC", 1, ".xx" },
	{ "the newest stays though it is damaged", "aBC", 1, "..x" },
	{ "a damaged one does not count", "AbCD", 2, "...x" },
	{ "a damaged one behind enough whole ones goes", "ABcD", 2, "..xx" },
	{ "none goes before a newer one is whole", "abcd", 1, "...." },
	{ "equal states count as one", "AABBC", 3, ".x.x." },
	{ "an equal one that is damaged makes none needless", "aAB", 2, "..." },
	{ "a pinned one stays behind all", "AB!C", 1, ".x." },
	{ "a pinned equal one stays", "A!AB", 2, "..." },
	{ "a pinned one takes its share", "ABC!D", 3, "..x." },
	{ "a pinned one that is damaged takes none", "ABC!d", 3, "...." },
	{ "equal states far apart", "ABAC", 2, "..xx" },
	{ "keep of none keeps the newest", "AB", 0, ".x" },
};

static size_t read_items(const char *text, struct ath_retention_item *items, char keys[][2])
{
	size_t len = 0;
	bool is_pinned = false;

	for (; *text; text++) {
		if (*text == '!') {
			is_pinned = true;
			continue;
		}
		keys[len][0] = (char)(*text | 0x20);
		keys[len][1] = '\0';
		items[len] = (struct ath_retention_item){ .key = keys[len],
							  .is_whole = !(*text & 0x20),
							  .is_pinned = is_pinned };
		is_pinned = false;
		len++;
	}
	return len;
}

static void what_is_old_enough_goes_once_the_newer_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ath_retention_item items[ITEMS_MAX];
		char keys[ITEMS_MAX][2], goes[ITEMS_MAX + 1] = "";
		size_t len = read_items(cases[i].items, items, keys);

		ath_retention_choose(items, len, cases[i].keep);
		for (size_t n = 0; n < len; n++)
			goes[n] = items[n].goes ? 'x' : '.';
		if (strcmp(goes, cases[i].goes) != 0)
			fail_msg("%s: %s gives %s instead of %s", cases[i].name, cases[i].items,
				 goes, cases[i].goes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_old_enough_goes_once_the_newer_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* base/redact: secrets are masked in every spelling, wherever the bytes are cut, and nothing else is. */
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/redact.h"

/* `text` in pieces of the lengths that `cut` gives, masked. */
static char *run(struct ath_redact *set, const char *text, const size_t *cuts, size_t cuts_len)
{
	struct ath_redact_flow flow = { .set = set };
	struct ath_str out = { 0 };
	size_t len = strlen(text), at = 0;

	for (size_t i = 0; i < cuts_len; i++) {
		ath_redact_feed(&flow, text + at, cuts[i] - at, &out);
		at = cuts[i];
	}
	ath_redact_feed(&flow, text + at, len - at, &out);
	ath_redact_finish(&flow, false, &out);
	return ath_str_steal(&out);
}

/* Whole, cut at every offset, and byte by byte. */
static void check(struct ath_redact *set, const char *text, const char *expected)
{
	size_t len = strlen(text), *all = calloc(len + 1, sizeof(*all));
	char *masked = run(set, text, NULL, 0);

	assert_string_equal(masked, expected);
	free(masked);
	for (size_t cut = 0; cut <= len; cut++) {
		masked = run(set, text, &cut, 1);
		assert_string_equal(masked, expected);
		free(masked);
		all[cut] = cut;
	}
	masked = run(set, text, all, len);
	assert_string_equal(masked, expected);
	free(masked);
	free(all);
}

static struct ath_redact *set_of(const char *const *secrets)
{
	struct ath_redact *set = ath_redact_new();

	for (; *secrets; secrets++)
		ath_redact_add(set, *secrets);
	return set;
}

#define SET(...) set_of((const char *const[]){ __VA_ARGS__, NULL })

static const char odd[] = "p@ss w/rd%\"'\\$\n\xc3\xa9\xf0\x9f\x94\x91<&>";

/* What Python 3.11, its json and urllib, PHP, Go and shells write of it. */
static const char *const spelt[] = {
	"p@ss w/rd%\"'\\$\n\xc3\xa9\xf0\x9f\x94\x91<&>",
	"p%40ss%20w%2Frd%25%22%27%5C%24%0A%C3%A9%F0%9F%94%91%3C%26%3E", /* quote(safe="") */
	"p%40ss%20w%2frd%25%22%27%5c%24%0a%c3%a9%f0%9f%94%91%3c%26%3e",
	"p%40ss%20w/rd%25%22%27%5C%24%0A%C3%A9%F0%9F%94%91%3C%26%3E", /* quote() */
	"p%40ss+w%2Frd%25%22%27%5C%24%0A%C3%A9%F0%9F%94%91%3C%26%3E", /* quote_plus() */
	"p%40ss%20w%2Frd%25%22'%5C%24%0A%C3%A9%F0%9F%94%91%3C%26%3E", /* encodeURIComponent() */
	"p@ss%20w/rd%25%22'%5C$%0A%C3%A9%F0%9F%94%91%3C&%3E",         /* encodeURI() */
	"p@ss w/rd%\\\"'\\\\$\\n\xc3\xa9\xf0\x9f\x94\x91<&>",
	"p@ss w\\/rd%\\\"'\\\\$\\n\xc3\xa9\xf0\x9f\x94\x91<&>",
	"p@ss w/rd%\\\"'\\\\$\\n\\u00e9\\ud83d\\udd11<&>", /* json.dumps() */
	"p@ss w/rd%\\\"'\\\\$\\n\\u00E9\\uD83D\\uDD11<&>",
	"p@ss w\\/rd%\\\"'\\\\$\\n\\u00e9\\ud83d\\udd11<&>",
	"p@ss w/rd%\\\"'\\\\$\\n\xc3\xa9\xf0\x9f\x94\x91\\u003c\\u0026\\u003e",
	"p@ss w/rd%\"\\'\\\\$\\n\xc3\xa9\xf0\x9f\x94\x91<&>",       /* repr() */
	"p@ss w/rd%\"\\'\\\\$\\n\\xc3\\xa9\\xf0\\x9f\\x94\\x91<&>", /* of bytes */
	"p@ss w/rd%\"\\'\\\\$\\n\\xe9\\U0001f511<&>",               /* ascii() */
	"p@ss w/rd%\"'\\''\\$\n\xc3\xa9\xf0\x9f\x94\x91<&>",        /* set -x */
	"p@ss w/rd%\"'\"'\"'\\$\n\xc3\xa9\xf0\x9f\x94\x91<&>",      /* shlex.quote() */
	"p@ss w/rd%\\\"'\\\\\\$\n\xc3\xa9\xf0\x9f\x94\x91<&>",
};

static void every_spelling_is_masked_wherever_it_is_cut(void **state)
{
	struct ath_redact *set = SET(odd);

	(void)state;
	for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) {
		char text[512];

		snprintf(text, sizeof(text), "before %s behind", spelt[i]);
		check(set, text, "before *** behind");
		check(set, spelt[i], "***"); /* at the end of the stream */
	}
	ath_redact_free(set);
}

/* "Secr3t>?Value~~~" behind 0, 1 and 2 bytes, as the tools write it. */
static void base64_is_masked_at_all_three_places(void **state)
{
	static const char *const texts[][2] = {
		{ "U2VjcjN0Pj9WYWx1ZX5+fg==", "***g==" }, /* the last byte is shared */
		{ "U2VjcjN0Pj9WYWx1ZX5-fg==", "***g==" },
		{ "OlNlY3IzdD4/VmFsdWV+fn4=", "Ol***4=" },
		{ "OlNlY3IzdD4_VmFsdWV-fn4=", "Ol***4=" },
		{ "YTpTZWNyM3Q+P1ZhbHVlfn5+", "YTp***" },
		{ "YTpTZWNyM3Q-P1ZhbHVlfn5-", "YTp***" },
	};
	struct ath_redact *set = SET("Secr3t>?Value~~~");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check(set, texts[i][0], texts[i][1]);
	}
	ath_redact_free(set);
}

static void base64_that_a_tool_breaks_into_lines_is_masked(void **state)
{
	struct ath_redact *set =
		SET("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");

	(void)state;
	check(set,
	      "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4\n"
	      "OWFiY2RlZg==\n",
	      "***g==\n");
	ath_redact_free(set);
}

static void secrets_that_overlap_become_one_mask(void **state)
{
	struct ath_redact *set = SET("alphabeta", "betagamma", "gammadelta");

	(void)state;
	check(set, "<alphabetagammadelta>", "<***>");
	check(set, "<alphabeta betagamma>", "<*** ***>");
	check(set, "alphabetaalphabeta", "******"); /* beside each other */
	ath_redact_free(set);
}

static void one_secret_may_begin_another_or_stand_within_it(void **state)
{
	struct ath_redact *set = SET("secret", "secret-long", "my-secret-longer");

	(void)state;
	check(set, "secret secret-lon secret-long my-secret-longer my-secret-long",
	      "*** ***-lon *** *** my-***");
	ath_redact_free(set);
}

static void a_secret_that_repeats_itself_is_found_behind_a_false_start(void **state)
{
	struct ath_redact *set = SET("ababac", "aaaaaab");

	(void)state;
	check(set, "abababac aaaaaaaaab aabaaaaaa", "ab*** aaa*** aabaaaaaa");
	ath_redact_free(set);
}

static void a_chain_of_overlaps_holds_nothing_back(void **state)
{
	struct ath_redact *set = SET("abababab");
	struct ath_redact_flow flow = { .set = set };
	struct ath_str out = { 0 };

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		ath_redact_feed(&flow, "ab", 2, &out);
		assert_true(flow.held.len < 64 && out.len < 16);
	}
	ath_redact_finish(&flow, false, &out);
	assert_string_equal(ath_str_get(&out), "***");
	ath_str_fini(&out);
	ath_redact_free(set);
}

static void passwords_in_urls_are_masked_though_unknown(void **state)
{
	static const char *const texts[][2] = {
		{ "at postgresql+psycopg2://bob:hunter2@db:5432/x now",
		  "at postgresql+psycopg2://bob:***@db:5432/x now" },
		{ "https://bob:p@ss@host/a@b", "https://bob:***@host/a@b" },
		{ "redis://:pw@host", "redis://:***@host" },
		{ "x://bob:a/b@host/c", "x://bob:***@host/c" },
		{ "{\"u\":\"https:\\/\\/bob:pw@host\\/x\"}",
		  "{\"u\":\"https:\\/\\/bob:***@host\\/x\"}" },
		{ "git+https://ghp_0123456789abcdefghij@github.com/x",
		  "git+https://***@github.com/x" },
		{ "https://ghp_0123456789abcdefghij:x-oauth@github.com",
		  "https://***:***@github.com" },
		{ "http://localhost:8080/@vite/client", "http://localhost:8080/@vite/client" },
		{ "ssh://git@host:22/x http://h:80", "ssh://git@host:22/x http://h:80" },
		{ "see http://h:80, mail a@b: c@d", "see http://h:80, mail a@b: c@d" },
		{ "sqlite:////srv/app/data@1.db", "sqlite:////srv/app/data@1.db" },
		{ "a://b:cd,https://u:pw@h", "a://b:cd,https://u:***@h" },
		{ "'x://bob:pw@'", "'x://bob:***@'" },
	};
	struct ath_redact *set = ath_redact_new();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(set, texts[i][0], texts[i][1]);
	ath_redact_free(set);
}

static void the_wait_for_a_url_to_end_is_bounded(void **state)
{
	struct ath_redact *set = ath_redact_new();
	struct ath_redact_flow flow = { .set = set };
	struct ath_str out = { 0 };

	(void)state;
	ath_redact_feed(&flow, "x://y:z", 7, &out);
	for (size_t i = 0; i < 10000; i++) {
		ath_redact_feed(&flow, "z", 1, &out);
		assert_true(flow.held.len <= ATH_REDACT_URL);
	}
	ath_redact_finish(&flow, false, &out);
	assert_int_equal(out.len, 10007);
	ath_str_fini(&out);
	ath_redact_free(set);
}

static void a_private_key_is_masked_line_by_line(void **state)
{
	struct ath_redact *set = SET("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhki\nshort\n");

	(void)state;
	check(set, "    | MIIEvQIBADANBgkqhki\n    | short\n", "    | ***\n    | short\n");
	ath_redact_free(set);
}

static void a_long_secret_is_masked_whole(void **state)
{
	struct ath_redact *set;
	char secret[3001], text[3100], *masked;
	uint32_t number = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(secret) - 1; i++)
		secret[i] = (char)('a' + (number = number * 1103515245 + 12345) / 65536 % 26);
	secret[sizeof(secret) - 1] = '\0';
	set = SET(secret);
	snprintf(text, sizeof(text), "<%s>", secret);
	masked = run(set, text, NULL, 0);
	assert_string_equal(masked, "<*********>");
	free(masked);
	ath_redact_free(set);
}

static void short_texts_are_not_taken(void **state)
{
	struct ath_redact *set = SET("abcde", "");

	(void)state;
	check(set, "abcdef abcde", "abcdef abcde");
	ath_redact_free(set);
}

static void a_secret_may_come_while_a_flow_is_under_way(void **state)
{
	struct ath_redact *set = SET("first-secret");
	struct ath_redact_flow flow = { .set = set };
	struct ath_str out = { 0 };

	(void)state;
	ath_redact_feed(&flow, "second-secret first-se", 22, &out);
	ath_redact_add(set, "second-secret");
	ath_redact_feed(&flow, "cret second-secret", 18, &out);
	ath_redact_finish(&flow, false, &out);
	assert_string_equal(ath_str_get(&out), "second-secret *** ***");
	ath_str_fini(&out);
	ath_redact_free(set);
}

static void a_flow_that_was_fed_nothing_ends(void **state)
{
	struct ath_redact *set = SET("first-secret");
	struct ath_redact_flow flow = { .set = set };
	struct ath_str out = { 0 };

	(void)state;
	ath_redact_finish(&flow, false, &out);
	assert_string_equal(ath_str_get(&out), "");
	ath_str_fini(&out);
	ath_redact_free(set);
}

static void the_cut_end_of_a_message_tells_no_part(void **state)
{
	struct ath_redact *set = SET("0123456789abcdef");
	struct ath_err err = { 0 }, whole = { 0 };
	struct ath_str shortened = { 0 };
	char filler[sizeof(err.msg)];

	(void)state;
	memset(filler, '.', sizeof(filler));
	filler[sizeof(filler) - 9] = '\0';
	ath_err_set(&err, ATH_ERR_IO, "%s0123456789abcdef", filler);
	assert_non_null(strstr(err.msg, "01234567"));
	ath_redact_err(set, &err);
	assert_null(strstr(err.msg, "0123"));
	assert_true(ath_str_has_suffix(err.msg, ".***"));
	ath_redact_put(set, "said 0123456...", 15, &shortened);
	assert_string_equal(ath_str_get(&shortened), "said ***...");
	ath_str_fini(&shortened);
	ath_err_set(&whole, ATH_ERR_IO, "no '01234567");
	ath_redact_err(set, &whole);
	assert_string_equal(whole.msg, "no '01234567");
	ath_redact_free(set);
}

static void without_a_set_nothing_is_changed(void **state)
{
	struct ath_str out = { 0 };

	(void)state;
	ath_redact_put(NULL, "x://a:b@c", 9, &out);
	assert_string_equal(ath_str_get(&out), "x://a:b@c");
	ath_str_fini(&out);
}

/* A text of few letters, so that secrets, their beginnings and URLs are everywhere. */
static char *random_text(size_t len)
{
	static const char *const words[] = { "abc", "ab", "a", "abcabd", "abcabc", "://", ":",
					     "@",   " ",  "/", "%2F",    "\n",     "c",   "d" };
	struct ath_str text = { 0 };

	while (text.len < len)
		ath_str_puts(&text, words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))]);
	return ath_str_steal(&text);
}

static void any_cuts_give_what_the_whole_gives(void **state)
{
	struct ath_redact *set = SET("abcabd", "abcabcab", "abdabc", "bcabcd/a", "cab\ncab");
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (size_t i = 0; i < 3000; i++) {
		char *text = random_text(1 + (size_t)rand() % 200), *whole, *masked;
		size_t len = strlen(text), cuts[32], at = 0, count = 0;

		while (count < 32 && (at += 1 + (size_t)rand() % 12) < len)
			cuts[count++] = at;
		whole = run(set, text, NULL, 0);
		masked = run(set, text, cuts, count);
		assert_string_equal(masked, whole);
		assert_null(strstr(whole, "abcabd"));
		assert_null(strstr(whole, "abcabcab"));
		free(text);
		free(whole);
		free(masked);
	}
	ath_redact_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_is_masked_wherever_it_is_cut),
		cmocka_unit_test(base64_is_masked_at_all_three_places),
		cmocka_unit_test(base64_that_a_tool_breaks_into_lines_is_masked),
		cmocka_unit_test(secrets_that_overlap_become_one_mask),
		cmocka_unit_test(one_secret_may_begin_another_or_stand_within_it),
		cmocka_unit_test(a_secret_that_repeats_itself_is_found_behind_a_false_start),
		cmocka_unit_test(a_chain_of_overlaps_holds_nothing_back),
		cmocka_unit_test(passwords_in_urls_are_masked_though_unknown),
		cmocka_unit_test(the_wait_for_a_url_to_end_is_bounded),
		cmocka_unit_test(a_private_key_is_masked_line_by_line),
		cmocka_unit_test(a_long_secret_is_masked_whole),
		cmocka_unit_test(short_texts_are_not_taken),
		cmocka_unit_test(a_secret_may_come_while_a_flow_is_under_way),
		cmocka_unit_test(a_flow_that_was_fed_nothing_ends),
		cmocka_unit_test(the_cut_end_of_a_message_tells_no_part),
		cmocka_unit_test(without_a_set_nothing_is_changed),
		cmocka_unit_test(any_cuts_give_what_the_whole_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* base/json: what is written is JSON, whatever the text. */
#include "tests/unit/cmocka_all.h"

#include <string.h>

#include "base/json.h"

static void commas_are_placed_by_the_writer(void **state)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };
	const char *const texts[] = { "a", "b" };

	(void)state;
	ath_json_open(&json, '{');
	ath_json_put_text(&json, "text", "value");
	ath_json_put_text(&json, "none", NULL);
	ath_json_put_int(&json, "number", INT64_MIN);
	ath_json_put_bool(&json, "is_true", true);
	ath_json_key(&json, "list");
	ath_json_open(&json, '[');
	ath_json_int(&json, 1);
	ath_json_open(&json, '{');
	ath_json_close(&json, '}');
	ath_json_open(&json, '[');
	ath_json_bool(&json, false);
	ath_json_close(&json, ']');
	ath_json_text(&json, "end");
	ath_json_close(&json, ']');
	ath_json_key(&json, "empty");
	ath_json_open(&json, '{');
	ath_json_close(&json, '}');
	ath_json_put_texts(&json, "texts", texts, 2);
	ath_json_put_texts(&json, "no_texts", NULL, 0);
	ath_json_put_int(&json, "last", 0);
	ath_json_close(&json, '}');
	assert_string_equal(ath_str_get(&text),
			    "{\"text\":\"value\",\"none\":null,\"number\":-9223372036854775808,"
			    "\"is_true\":true,\"list\":[1,{},[false],\"end\"],\"empty\":{},"
			    "\"texts\":[\"a\",\"b\"],\"no_texts\":[],\"last\":0}");
	ath_str_fini(&text);
}

static void a_string_is_escaped_where_it_must_be(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "\"quoted\"", "\"\\\"quoted\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "a\nb", "\"a\\nb\"" },
		{ "\t\r\b\f\x01\x1b\x7f", "\"\\u0009\\u000d\\u0008\\u000c\\u0001\\u001b\\u007f\"" },
		{ "/", "\"/\"" },
		{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xff", "\"?\"" },
		{ "\xc3", "\"?\"" },
		{ "\xc3\"", "\"?\\\"\"" }, /* a cut sequence does not swallow the quote */
		{ "\xe4\xb8\\", "\"\?\?\\\\\"" },
		{ "\xc2\x9b", "\"?\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ath_str text = { 0 };
		struct ath_json json = { .out = &text };

		ath_json_text(&json, rows[i].text);
		if (strcmp(ath_str_get(&text), rows[i].written) != 0)
			fail_msg("row %zu came as %s", i, ath_str_get(&text));
		ath_str_fini(&text);
	}
}

static void a_key_is_escaped_as_a_string(void **state)
{
	struct ath_str text = { 0 };
	struct ath_json json = { .out = &text };

	(void)state;
	ath_json_open(&json, '{');
	ath_json_put_bool(&json, "a\"\n", false);
	ath_json_close(&json, '}');
	assert_string_equal(ath_str_get(&text), "{\"a\\\"\\n\":false}");
	ath_str_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_are_placed_by_the_writer),
		cmocka_unit_test(a_string_is_escaped_where_it_must_be),
		cmocka_unit_test(a_key_is_escaped_as_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* steps/env_text: the text of a settings file, made from an example with secrets filled in. */
#include "steps/env_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "trust/secret.h"

/* How values begin that stand for one to be put there. */
static const char *const placeholders[] = {
	"change", "your-", "your_", "replace", "<", "xxx", "todo", "insert", "please", "put-your",
};

bool ath_env_text_is_placeholder(const char *value)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++) {
		if (strncasecmp(value, placeholders[i], strlen(placeholders[i])) == 0)
			return true;
	}
	return false;
}

/* Length of what stands before the value if the line sets that variable, else 0. */
static size_t match(const char *line, const char *name)
{
	static const char word[] = "export ";
	const char *at = line + strspn(line, " \t");

	if (ath_str_has_prefix(at, word))
		at += strlen(word) + strspn(at + strlen(word), " \t");
	if (!ath_str_has_prefix(at, name))
		return 0;
	at += strlen(name);
	at += strspn(at, " \t");
	return *at == '=' ? (size_t)(at + 1 - line) : 0;
}

/* The secret whose variable the line sets; `secrets->len` for any other line. */
static size_t find_secret(const struct ath_texts *secrets, const char *line, size_t *out_head)
{
	size_t i = 0;

	while (i < secrets->len && !(*out_head = match(line, secrets->items[i])))
		i++;
	return i;
}

/* One variable may be set by several lines; the same secret stands in each. */
struct made {
	char text[ATH_SECRET_TEXT];
	bool is_used;
};

static void add_missing(const struct ath_texts *secrets, const struct made *made,
			struct ath_str *out)
{
	for (size_t i = 0; i < secrets->len; i++) {
		if (made[i].is_used)
			continue;
		if (out->len && out->data[out->len - 1] != '\n')
			ath_str_putc(out, '\n');
		ath_str_printf(out, "%s=%s\n", secrets->items[i], made[i].text);
	}
}

void ath_env_text_fill(const char *example, const struct ath_texts *secrets, struct ath_str *out)
{
	struct made *made = ath_mem_new(secrets->len + 1, sizeof(*made));

	for (size_t i = 0; i < secrets->len; i++)
		ath_secret_make(made[i].text);
	while (*example) {
		size_t len = strcspn(example, "\n"), head = 0;
		size_t which = find_secret(secrets, example, &head);

		if (which < secrets->len) {
			made[which].is_used = true;
			ath_str_add(out, example, head);
			ath_str_puts(out, made[which].text);
			if (len && example[len - 1] == '\r')
				ath_str_putc(out, '\r');
		} else {
			ath_str_add(out, example, len);
		}
		if (example[len])
			ath_str_putc(out, '\n');
		example += len + (example[len] != '\0');
	}
	add_missing(secrets, made, out);
	ath_secret_wipe(made, (secrets->len + 1) * sizeof(*made));
	free(made);
}

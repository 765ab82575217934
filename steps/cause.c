/* SPDX-License-Identifier: MIT */
/* steps/cause: finds in a tool's output the one line that says why it failed. */
#include "steps/cause.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* What tools say when a server cannot be reached: Python's sockets, urllib3, node, uv. */
static const char *const network_words[] = {
	"Temporary failure in name resolution",
	"Name or service not known",
	"Network is unreachable",
	"Connection refused",
	"NewConnectionError",
	"ConnectTimeoutError",
	"Read timed out",
	"ProxyError",
	"ECONNREFUSED",
	"ECONNRESET",
	"ENETUNREACH",
	"EHOSTUNREACH",
	"ENOTFOUND",
	"EAI_AGAIN",
	"ETIMEDOUT",
	"ERR_SOCKET_TIMEOUT",
	"dns error",
	"error sending request",
};

/* Words behind "npm error " that start a field, not a sentence. */
static const char *const npm_fields[] = {
	"code ",      "errno ",    "syscall ",          "path ", "command ", "signal ",
	"workspace ", "location ", "Lifecycle script ",
};

/* Beginnings of lines that explain the error line before them. */
static const char *const explanations[] = {
	"\xc3\x97", /* the signs of pip and uv: a cross, a corner */
	"\xe2\x95\xb0\xe2\x94\x80",
	"Caused by:",
	"cause:",
};

static bool starts_with_one(const char *text, const char *const *heads, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (ath_str_has_prefix(text, heads[i]))
			return true;
	}
	return false;
}

static void keep(char out[ATH_CAUSE_TEXT], const char *text)
{
	snprintf(out, ATH_CAUSE_TEXT, "%s", text);
}

static void append(char out[ATH_CAUSE_TEXT], const char *text)
{
	size_t len = strlen(out);

	snprintf(out + len, ATH_CAUSE_TEXT - len, ": %s", text);
}

/* Is it a line of npm's own errors? They stand around what its scripts say, and say less. */
static bool read_npm(struct ath_cause *cause, const char *text)
{
	static const char *const heads[] = { "npm error ", "npm ERR! " };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (!ath_str_has_prefix(text, heads[i]))
			continue;
		text += strlen(heads[i]);
		text += strspn(text, " ");
		if (*text && !cause->npm[0] &&
		    !starts_with_one(text, npm_fields, sizeof(npm_fields) / sizeof(npm_fields[0])))
			keep(cause->npm, text);
		return true;
	}
	return ath_str_is(text, "npm error") || ath_str_is(text, "npm ERR!");
}

/* "error: ...", "ERROR: ...", or as Python and node name an exception: "ValueError: ...". */
static bool is_error(const char *text)
{
	static const char end[] = "Error:";
	size_t len = strcspn(text, " ");

	return ath_str_has_prefix(text, "ERROR:") || ath_str_has_prefix(text, "error:") ||
	       ath_str_has_prefix(text, "Error [") || ath_str_has_prefix(text, "Exception:") ||
	       (len >= strlen(end) && strncmp(text + len - strlen(end), end, strlen(end)) == 0);
}

static void read_error(struct ath_cause *cause, const char *text)
{
	bool explains =
		starts_with_one(text, explanations, sizeof(explanations) / sizeof(explanations[0]));
	/* pip ends with this one, which says less than the one before it */
	bool is_new = is_error(text) && !strstr(text, "ResolutionImpossible");

	if (is_new || (explains && !cause->is_open))
		keep(cause->error, text);
	else if (explains)
		append(cause->error, text);
	cause->is_open = is_new || explains;
}

/* "x.c:15:10: fatal error: lber.h: ...": the first one is the cause of those behind it. */
static bool is_of_compiler(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && colon[1] >= '0' && colon[1] <= '9' && strstr(colon, " error: ");
}

/*
 * pip quotes the output of a build that failed, and says afterwards only that it failed:
 *
 *	x Building wheel for y did not run successfully.
 *	|-> [26 lines of output]
 *	    ...
 *	    [end of output]
 */
static bool read_build(struct ath_cause *cause, const char *text)
{
	bool begins = strstr(text, " lines of output]") || strstr(text, "[1 line of output]");

	if (begins) {
		keep(cause->build, "");
		keep(cause->last_quoted, "");
	} else if (!cause->is_quoted) {
		return false;
	} else if (strcmp(text, "[end of output]") == 0) {
		cause->is_quoted = false;
		if (!cause->build[0])
			keep(cause->build, cause->last_quoted);
		return true;
	} else if (is_of_compiler(text) || (is_error(text) && !is_of_compiler(cause->build))) {
		if (!is_of_compiler(cause->build))
			keep(cause->build, text);
	} else {
		keep(cause->last_quoted, text);
	}
	cause->is_quoted = true;
	return true;
}

void ath_cause_read(struct ath_cause *cause, bool is_stderr, const char *line, size_t len)
{
	struct ath_str clean = { 0 };
	const char *text;

	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	ath_str_put_clean(&clean, line, len);
	text = ath_str_get(&clean);
	text += strspn(text, " ");
	for (size_t i = 0; i < sizeof(network_words) / sizeof(network_words[0]); i++) {
		if (strstr(text, network_words[i]))
			cause->network = network_words[i];
	}
	if (*text && !read_build(cause, text) && !read_npm(cause, text)) {
		read_error(cause, text);
		keep(is_stderr ? cause->last_error : cause->last, text);
	}
	ath_str_fini(&clean);
}

const char *ath_cause_get(const struct ath_cause *cause)
{
	if (cause->npm[0])
		return cause->npm;
	if (cause->build[0])
		return cause->build;
	if (cause->error[0])
		return cause->error;
	return cause->last_error[0] ? cause->last_error : cause->last;
}

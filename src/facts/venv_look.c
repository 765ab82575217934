/* SPDX-License-Identifier: MIT */
/*
 * facts/python: looks at a virtual environment.
 *
 *	path/pyvenv.cfg                      version (venv) or version_info (virtualenv, uv)
 *	path/bin/python -> ... -> /usr/bin/python3.11      the interpreter; its name tells its version
 *	path/bin/pip, path/bin/activate      name the folder for which they were made
 *	path/lib/python3.11/site-packages
 *	path/.athanor-building, .athanor-made              our marks
 *
 * The first thing that is wrong is told; a later one would only be its consequence.
 */
#include "facts/python.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

enum {
	FILE_LIMIT = 1 << 16, /* bytes of pyvenv.cfg and of a script */
	MINOR_TEXT = 16,      /* "3.11", with the NUL */
	MOST_LINKS = 20,      /* that are followed to say where a chain ends */
};

/* An environment while it is looked at. */
struct look {
	const char *path;       /* borrowed */
	struct ath_venv *out;   /* borrowed */
	char minor[MINOR_TEXT]; /* of the interpreter or of pyvenv.cfg; "" while unknown */
};

char *ath_venv_building_mark(const char *path)
{
	return ath_file_join(path, ".athanor-building");
}

char *ath_venv_made_mark(const char *path)
{
	return ath_file_join(path, ".athanor-made");
}

static bool ATH_PRINTF(2, 3) broken(struct ath_venv *out, const char *format, ...)
{
	struct ath_str text = { 0 }, clean = { 0 };
	va_list args;

	va_start(args, format);
	ath_str_vprintf(&text, format, args);
	va_end(args);
	ath_str_put_clean(&clean, ath_str_get(&text), text.len);
	snprintf(out->detail, sizeof(out->detail), "%s", ath_str_get(&clean));
	out->state = ATH_VENV_BROKEN;
	ath_str_fini(&clean);
	ath_str_fini(&text);
	return false;
}

/* Is this another error than "there is none"? It says nothing about the environment. */
static bool is_blind(struct ath_venv *out, int errnum, const char *what)
{
	if (!errnum || errnum == ENOENT || errnum == ENOTDIR)
		return false;
	broken(out, "cannot look at its %s: %s", what, strerror(errnum));
	out->state = ATH_VENV_UNKNOWN;
	return true;
}

static bool exists(const char *folder, const char *name)
{
	char *path = ath_file_join(folder, name);
	bool is_there = ath_file_kind(path) != ATH_FILE_ABSENT;

	free(path);
	return is_there;
}

/* Append a small file; false if it cannot be read, with errno, or 0 if it is too large. */
static bool read_small(const char *folder, const char *name, struct ath_str *out)
{
	struct ath_err err = { 0 };
	char *path = ath_file_join(folder, name);
	bool is_read = ath_file_read(path, FILE_LIMIT, out, &err);

	free(path);
	errno = err.errnum;
	return is_read;
}

/* "3.11" of "3.11.2", "python3.11" or "pypy3.10"; "" if there is none. */
static void read_minor(const char *text, char out_minor[MINOR_TEXT])
{
	size_t major, minor;

	out_minor[0] = '\0';
	text += ath_str_has_prefix(text, "python") ? 6 : ath_str_has_prefix(text, "pypy") ? 4 : 0;
	major = strspn(text, "0123456789");
	if (!major || text[major] != '.')
		return;
	minor = strspn(text + major + 1, "0123456789");
	if (minor && major + 1 + minor < MINOR_TEXT)
		snprintf(out_minor, MINOR_TEXT, "%.*s", (int)(major + 1 + minor), text);
}

/* The value of `key = value` in pyvenv.cfg, up to three numbers of it. */
static void read_version(const char *config, const char *key, char *out, size_t size)
{
	for (const char *line = config; *line;) {
		const char *at = line + strspn(line, " \t");

		line += strcspn(line, "\n");
		line += *line == '\n';
		if (!ath_str_has_prefix(at, key))
			continue;
		at += strlen(key);
		at += strspn(at, " \t");
		if (*at != '=')
			continue;
		at += 1 + strspn(at + 1, " \t");
		snprintf(out, size, "%.*s", (int)strspn(at, "0123456789."), at);
	}
	for (size_t len = strlen(out); len && out[len - 1] == '.'; len--)
		out[len - 1] = '\0'; /* virtualenv writes 3.11.2.final.0 */
}

static bool has_activate(const char *path)
{
	struct ath_str text = { 0 };
	bool is_there = read_small(path, "bin/activate", &text) &&
			strstr(ath_str_get(&text), "VIRTUAL_ENV=");

	ath_str_fini(&text);
	return is_there;
}

static bool look_at_config(struct look *look)
{
	struct ath_venv *out = look->out;
	struct ath_str text = { 0 };

	if (!read_small(look->path, "pyvenv.cfg", &text)) {
		ath_str_fini(&text);
		if (is_blind(out, errno, "pyvenv.cfg"))
			return false;
		out->is_foreign = !has_activate(look->path);
		return broken(out, "it has no pyvenv.cfg");
	}
	read_version(ath_str_get(&text), "version_info", out->version, sizeof(out->version));
	if (!out->version[0])
		read_version(ath_str_get(&text), "version", out->version, sizeof(out->version));
	ath_str_fini(&text);
	read_minor(out->version, look->minor);
	return true;
}

/* Where a chain of links ends, for people; the end itself is missing. */
static bool report_dangling(struct look *look, const char *python)
{
	char *at = ath_file_join("", python);
	char target[PATH_MAX];

	for (int i = 0; i < MOST_LINKS; i++) {
		ssize_t len = readlink(at, target, sizeof(target) - 1);
		char *folder, *next;

		if (len < 0)
			break;
		target[len] = '\0';
		folder = ath_file_parent(at);
		next = ath_file_join(folder, target);
		free(folder);
		free(at);
		at = next;
	}
	if (strcmp(at, python) == 0)
		broken(look->out, "bin/python is missing");
	else
		broken(look->out, "bin/python leads to '%s', which is gone", at);
	free(at);
	return false;
}

static bool look_at_interpreter(struct look *look)
{
	char *python = ath_file_join(look->path, "bin/python");
	char *real = realpath(python, NULL);
	char minor[MINOR_TEXT];
	bool is_fine;

	if (!real && (errno == EIO || errno == ENOMEM))
		is_fine = !is_blind(look->out, errno, "bin/python");
	else if (!real)
		is_fine = report_dangling(look, python);
	else if (ath_file_kind(real) != ATH_FILE_REGULAR || access(real, X_OK))
		is_fine = broken(look->out, "bin/python leads to '%s', which is no program", real);
	else {
		read_minor(strrchr(real, '/') + 1, minor);
		is_fine = !minor[0] || !look->minor[0] || strcmp(minor, look->minor) == 0 ||
			  broken(look->out, "made for Python %s, and bin/python is Python %s now",
				 look->minor, minor);
		if (!look->minor[0])
			memcpy(look->minor, minor, sizeof(minor));
	}
	free(real);
	free(python);
	return is_fine;
}

/* The folder lib/NAME/site-packages whose NAME is of that version ("": of any). */
struct packages {
	const char *lib; /* borrowed */
	char *minor;     /* borrowed; MINOR_TEXT bytes */
	char *found;     /* owned; NULL while there is none */
};

static bool take_packages(void *user, const char *name, bool is_folder)
{
	struct packages *packages = user;
	char minor[MINOR_TEXT];
	char *folder, *site;

	read_minor(name, minor);
	if (!is_folder || !minor[0] || (packages->minor[0] && strcmp(minor, packages->minor) != 0))
		return true;
	folder = ath_file_join(packages->lib, name);
	site = ath_file_join(folder, "site-packages");
	free(folder);
	if (ath_file_kind(site) != ATH_FILE_FOLDER) {
		free(site);
		return true;
	}
	packages->found = site;
	return false;
}

/* NULL, with errno: there is none (0), or it could not be looked for. */
static char *find_packages(const char *path, char minor[MINOR_TEXT])
{
	char *lib = ath_file_join(path, "lib");
	struct packages packages = { .lib = lib, .minor = minor };
	struct ath_err err = { 0 };

	(void)!ath_file_list(lib, take_packages, &packages, &err);
	free(lib);
	errno = err.errnum;
	return packages.found;
}

static bool look_at_packages(struct look *look)
{
	char *found = find_packages(look->path, look->minor);

	if (!found && is_blind(look->out, errno, "packages"))
		return false;
	free(found);
	if (found)
		return true;
	return broken(look->out, "it has no folder lib/python%s/site-packages",
		      look->minor[0] ? look->minor : "3.X");
}

/* Is it the same folder? Symbolic links on the way do not matter. */
static bool is_same_folder(const char *one, const char *other)
{
	struct stat facts, others;

	return stat(one, &facts) == 0 && stat(other, &others) == 0 &&
	       facts.st_dev == others.st_dev && facts.st_ino == others.st_ino;
}

/* The path at `at`, in quotes or up to a blank (owned), or NULL if it is none or holds a `$`. */
static char *read_path(const char *at)
{
	struct ath_str path = { 0 };
	const char *stop = "\r\n \t";

	if (*at == '"' || *at == '\'')
		stop = *at++ == '"' ? "\"\r\n" : "'\r\n";
	ath_str_add(&path, at, strcspn(at, stop));
	if (*ath_str_get(&path) == '/' && !strchr(ath_str_get(&path), '$'))
		return ath_str_steal(&path);
	ath_str_fini(&path);
	return NULL;
}

/* The interpreter that a script of bin/ names (owned), or NULL. */
static char *read_shebang(const char *script)
{
	static const char through_shell[] = "\n'''exec' ";
	const char *line_end = strchr(script, '\n');

	if (!ath_str_has_prefix(script, "#!") || !line_end)
		return NULL;
	script += 2 + strspn(script + 2, " ");
	if (ath_str_has_prefix(line_end, through_shell)) /* a path too long or with blanks */
		return read_path(line_end + strlen(through_shell));
	return read_path(script);
}

static char *home_by_pip(const struct look *look)
{
	char by_version[sizeof("bin/pip") + MINOR_TEXT];
	const char *const names[] = { "bin/pip", "bin/pip3", by_version };
	struct ath_str text = { 0 };
	char *python = NULL, *bin, *home = NULL;

	snprintf(by_version, sizeof(by_version), "bin/pip%s", look->minor);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !python; i++) {
		ath_str_reset(&text);
		if (read_small(look->path, names[i], &text))
			python = read_shebang(ath_str_get(&text));
	}
	ath_str_fini(&text);
	if (python) {
		bin = ath_file_parent(python);
		home = ath_file_parent(bin);
		free(bin);
	}
	free(python);
	return home;
}

static char *home_by_activate(const struct look *look)
{
	static const char name[] = "VIRTUAL_ENV=", word[] = "export ";
	struct ath_str text = { 0 };
	char *home = NULL;

	if (read_small(look->path, "bin/activate", &text)) {
		for (const char *line = ath_str_get(&text); *line && !home;) {
			const char *at = line + strspn(line, " \t");

			at += ath_str_has_prefix(at, word) ? strlen(word) : 0;
			if (ath_str_has_prefix(at, name))
				home = read_path(at + strlen(name));
			line += strcspn(line, "\n");
			line += *line == '\n';
		}
	}
	ath_str_fini(&text);
	return home;
}

static bool look_at_home(struct look *look)
{
	char *home = home_by_pip(look);
	bool is_here;

	if (!home)
		home = home_by_activate(look);
	is_here = !home || is_same_folder(home, look->path) ||
		  broken(look->out, "its scripts are made for '%s': it was moved or copied", home);
	free(home);
	return is_here;
}

static bool look_at_mark(struct look *look)
{
	char *mark = ath_venv_building_mark(look->path);
	char *made = ath_venv_made_mark(look->path);
	bool is_building = ath_file_kind(mark) != ATH_FILE_ABSENT;

	look->out->is_ours = is_building || ath_file_kind(made) != ATH_FILE_ABSENT;
	free(made);
	free(mark);
	return !is_building || broken(look->out, "its making was interrupted");
}

static bool stop_at_first(void *user, const char *name, bool is_folder)
{
	(void)name, (void)is_folder;
	*(bool *)user = false;
	return false;
}

static bool is_empty(const char *folder)
{
	struct ath_err ignored = { 0 };
	bool is_bare = true;

	return ath_file_list(folder, stop_at_first, &is_bare, &ignored) && is_bare;
}

void ath_venv_look(const char *path, struct ath_venv *out)
{
	struct look look = { .path = path, .out = out };
	struct stat facts;

	*out = (struct ath_venv){ 0 };
	if (lstat(path, &facts)) {
		(void)is_blind(out, errno, "folder");
		return;
	}
	if (ath_file_kind(path) != ATH_FILE_FOLDER) {
		broken(out, S_ISLNK(facts.st_mode) ? "it is a link that leads to no folder"
						   : "it is no folder");
		out->is_foreign = true;
		return;
	}
	if (!exists(path, "pyvenv.cfg") && is_empty(path))
		return;
	if (look_at_mark(&look) && look_at_config(&look) && look_at_interpreter(&look) &&
	    look_at_packages(&look) && look_at_home(&look))
		out->state = ATH_VENV_HEALTHY;
}

char *ath_venv_find_packages(const char *path)
{
	struct ath_venv ignored = { 0 };
	struct look look = { .path = path, .out = &ignored };

	if (look_at_config(&look))
		(void)look_at_interpreter(&look); /* only for its version */
	return find_packages(path, look.minor);
}

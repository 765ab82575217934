/* SPDX-License-Identifier: MIT */
/*
 * alembic/ini_value: from the text of a setting to the field that it makes.
 *
 * Only ini and ini_toml use it.
 */
#ifndef ATH_ALEMBIC_INI_VALUE_H
#define ATH_ALEMBIC_INI_VALUE_H

#include "alembic/setting.h"

/* A field that is not static; `reason` is static text. */
struct ath_ini_field ath_ini_value_refuse(unsigned line, const char *reason);

/* The field of a key that holds one text; `text` is borrowed. */
struct ath_ini_field ath_ini_value_text(enum ath_ini_key key, unsigned line, const char *text);

/* The field of a key that holds texts; they are borrowed. */
struct ath_ini_field ath_ini_value_texts(enum ath_ini_key key, unsigned line,
					 struct ath_texts texts);

/* Does that key hold a list of texts? */
bool ath_ini_value_is_list(enum ath_ini_key key);

/*
 * Refuse a source that is too long or holds a NUL byte.
 * Fails with: ATH_ERR_LIMIT, ATH_ERR_CHAIN.
 */
ATH_NODISCARD bool ath_ini_value_check(const struct ath_ini_source *source, struct ath_err *err);

#endif

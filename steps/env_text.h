/* SPDX-License-Identifier: MIT */
/*
 * steps/env_text: the text of a settings file, made from an example with secrets filled in.
 */
#ifndef ATH_STEPS_ENV_TEXT_H
#define ATH_STEPS_ENV_TEXT_H

#include <stdbool.h>

#include "base/field.h"
#include "base/str.h"

/*
 * Append the example's text with a new secret of 256 bits as the value of each variable in
 * `secrets`. Only a line that sets exactly that variable is changed, never a comment; a variable
 * that the example does not set is added at the end. `out` is to be wiped by the caller.
 */
void ath_env_text_fill(const char *example, const struct ath_texts *secrets, struct ath_str *out);

/* Does a value stand for one that a person must still put there ("changeme", "your-key-here")? */
bool ath_env_text_is_placeholder(const char *value);

#endif

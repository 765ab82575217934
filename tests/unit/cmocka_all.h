/* SPDX-License-Identifier: MIT */
/* tests/unit/cmocka_all: cmocka with the headers that it wants before it. */
#ifndef ATH_TESTS_CMOCKA_ALL_H
#define ATH_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif

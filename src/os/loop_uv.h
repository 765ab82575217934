/* SPDX-License-Identifier: MIT */
/*
 * os/loop_uv: what the other modules of os/ see of the loop; libuv does not leave this layer.
 *
 * A handle embedded in an object belongs to the loop until its close callback, so the object is
 * released there and nowhere else.
 */
#ifndef ATH_OS_LOOP_UV_H
#define ATH_OS_LOOP_UV_H

#include <uv.h>

struct ath_children;
struct ath_loop;

typedef void ath_children_close_fn(struct ath_children *children);

/* The libuv loop; borrowed. */
uv_loop_t *ath_loop_uv(struct ath_loop *loop);

/* What os/child keeps for this loop, or NULL before ath_child_prepare. */
struct ath_children *ath_loop_children(struct ath_loop *loop);

/* Hand over what os/child keeps; `close` is called once, by ath_loop_free. */
void ath_loop_take_children(struct ath_loop *loop, struct ath_children *children,
			    ath_children_close_fn *close);

#endif

/* SPDX-License-Identifier: MIT */
/* os/work: blocking work on libuv's thread pool. */
#include "os/work.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/loop_uv.h"

struct work {
	uv_work_t request;
	struct ath_err err; /* written by the pool's thread, read after the hand-over */

	/* borrowed */
	ath_work_fn *work;
	ath_work_done_fn *on_done;
	void *user;
};

static void run(uv_work_t *request)
{
	struct work *work = request->data;
	bool is_done = work->work(work->user, &work->err);

	assert(is_done == (work->err.code == ATH_ERR_OK));
	(void)is_done;
}

static void finish(uv_work_t *request, int status)
{
	struct work *work = request->data;

	(void)status; /* never cancelled */
	work->on_done(work->user, &work->err);
	free(work);
}

void ath_work_start(struct ath_loop *loop, ath_work_fn *work_fn, ath_work_done_fn *on_done,
		    void *user)
{
	struct work *work = ath_mem_new(1, sizeof(*work));
	int status;

	work->request.data = work;
	work->work = work_fn;
	work->on_done = on_done;
	work->user = user;
	status = uv_queue_work(ath_loop_uv(loop), &work->request, run, finish);
	assert(status == 0); /* it fails without a function only */
	(void)status;
}

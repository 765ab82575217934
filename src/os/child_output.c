/* SPDX-License-Identifier: MIT */
/* os/child: the pipes of a child, read into the one buffer of its loop. */
#include "os/child_parts.h"

#include <assert.h>
#include <unistd.h>

enum {
	LAST_READS = 16, /* buffers read from a pipe that is given up */
};

void ath_child_close_channel(struct ath_channel *channel)
{
	if (!channel->is_open)
		return;
	channel->is_open = false;
	uv_close((uv_handle_t *)&channel->pipe, ath_child_release_handle);
}

static void deliver(struct ath_channel *channel, const char *bytes, size_t len)
{
	struct ath_child *child = channel->child;
	enum ath_child_stream stream = (enum ath_child_stream)(channel - child->channels);

	if (child->on_output)
		child->on_output(child->user, stream, bytes, len);
}

static void lend_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *out_buffer)
{
	struct ath_child *child = handle->data;

	(void)wanted;
	*out_buffer = uv_buf_init(child->children->buffer, ATH_CHILD_BUFFER);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct ath_child *child = stream->data;
	struct ath_channel *channel = (struct ath_channel *)stream;

	if (got > 0)
		deliver(channel, buffer->base, (size_t)got);
	if (got >= 0)
		return;
	ath_child_close_channel(channel);
	if (ath_child_is_complete(child))
		ath_child_finish(child);
}

/* Take what still lies in a pipe that somebody outside the tree holds open. */
static void read_rest(struct ath_channel *channel)
{
	char *buffer;
	ssize_t got = 1;
	int fd = -1;

	if (!channel->is_open || uv_fileno((uv_handle_t *)&channel->pipe, &fd))
		return;
	buffer = channel->child->children->buffer;
	for (int i = 0; i < LAST_READS && got > 0; i++) {
		got = read(fd, buffer, ATH_CHILD_BUFFER);
		if (got > 0)
			deliver(channel, buffer, (size_t)got);
	}
}

void ath_child_on_drain(uv_timer_t *timer)
{
	struct ath_child *child = timer->data;

	child->is_drained = true;
	for (size_t i = 0; i < ATH_CHILD_STREAM_COUNT_; i++) {
		read_rest(&child->channels[i]);
		ath_child_close_channel(&child->channels[i]);
	}
	if (ath_child_is_complete(child))
		ath_child_finish(child);
}

void ath_child_open_channel(struct ath_child *child, enum ath_child_stream stream, int fd)
{
	struct ath_channel *channel = &child->channels[stream];
	int status;

	if (fd < 0)
		return;
	channel->child = child;
	channel->is_open = true;
	uv_pipe_init(ath_loop_uv(child->children->loop), &channel->pipe, 0);
	channel->pipe.data = child;
	child->open_handles++;
	status = uv_pipe_open(&channel->pipe, fd);
	assert(status == 0); /* a fresh descriptor of the right kind */
	status = uv_read_start((uv_stream_t *)&channel->pipe, lend_buffer, on_read);
	assert(status == 0);
	(void)status;
}

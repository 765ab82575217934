/* SPDX-License-Identifier: MIT */
/* base/meter: counters that two threads share, and their text. */
#include "base/meter.h"

#include <inttypes.h>

#include "base/str.h"
#include "base/time.h"

enum {
	MS = 1000 * 1000, /* nanoseconds */
};

/* A quotient may be larger than any integer. */
static uint64_t to_number(double value)
{
	return value < 1e19 ? (uint64_t)value : UINT64_MAX - 1;
}

void ath_meter_begin(struct ath_meter *meter, const char *what, uint64_t total)
{
	if (!meter)
		return;
	atomic_store(&meter->done, 0);
	atomic_store(&meter->total, total);
	atomic_store(&meter->since_ns, ath_time_mono().ns);
	atomic_store(&meter->what, what);
}

void ath_meter_end(struct ath_meter *meter)
{
	if (meter)
		atomic_store(&meter->what, NULL);
}

bool ath_meter_goes_on(void *user)
{
	struct ath_meter *meter = user;

	return !meter || meter->is_deaf || !atomic_load(&meter->is_called_off);
}

bool ath_meter_move(void *user, uint64_t done, uint64_t all)
{
	struct ath_meter *meter = user;
	double part = all ? (double)(done < all ? done : all) / (double)all : 1;

	if (meter)
		atomic_store(&meter->done, to_number((double)atomic_load(&meter->total) * part));
	return ath_meter_goes_on(meter);
}

void ath_meter_call_off(struct ath_meter *meter)
{
	atomic_store(&meter->is_called_off, true);
}

bool ath_meter_read(struct ath_meter *meter, struct ath_meter_reading *out)
{
	const char *what = atomic_load(&meter->what);
	uint64_t since = atomic_load(&meter->since_ns), now = ath_time_mono().ns;

	if (!what)
		return false;
	*out = (struct ath_meter_reading){
		.what = what,
		.done = atomic_load(&meter->done),
		.total = atomic_load(&meter->total),
		.ms = now > since ? (now - since) / MS : 0,
	};
	return true;
}

uint64_t ath_meter_rate(const struct ath_meter_reading *reading)
{
	if (!reading->ms || !reading->done)
		return 0;
	return to_number((double)reading->done * 1000 / (double)reading->ms);
}

uint64_t ath_meter_left_ms(const struct ath_meter_reading *reading)
{
	uint64_t left = reading->total > reading->done ? reading->total - reading->done : 0;

	if (!reading->total || !reading->ms || !reading->done)
		return UINT64_MAX;
	return to_number((double)left * (double)reading->ms / (double)reading->done);
}

/* A unit in which the total is no more than five digits long. */
static void put_amounts(struct ath_str *out, const struct ath_meter_reading *reading)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	unsigned unit = 0, shift = 10;

	while (reading->total >> shift >= 100000 && unit + 1 < sizeof(units) / sizeof(units[0]))
		unit++, shift += 10;
	ath_str_printf(out, "%" PRIu64 " of %" PRIu64 " %s", reading->done >> shift,
		       reading->total >> shift, units[unit]);
}

static void put_rate(struct ath_str *out, uint64_t rate)
{
	if (rate >> 20 >= 10)
		ath_str_printf(out, ", %" PRIu64 " MiB/s", rate >> 20);
	else
		ath_str_printf(out, ", %" PRIu64 " KiB/s", rate >> 10);
}

void ath_meter_put(struct ath_str *out, const struct ath_meter_reading *reading)
{
	uint64_t rate = ath_meter_rate(reading), left = ath_meter_left_ms(reading);

	ath_str_puts(out, reading->what);
	if (!reading->total) {
		ath_str_puts(out, ", ");
		ath_time_put_duration(out, reading->ms);
		ath_str_puts(out, " so far");
		return;
	}
	ath_str_puts(out, ": ");
	put_amounts(out, reading);
	if (rate)
		put_rate(out, rate);
	if (left != UINT64_MAX) {
		ath_str_puts(out, ", ");
		ath_time_put_duration(out, left);
		ath_str_puts(out, " left");
	}
}

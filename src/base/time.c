/* SPDX-License-Identifier: MIT */
/* base/time: clock values as types, and how they are written. */
#include "base/time.h"

#include <inttypes.h>
#include <time.h>

struct ath_mono ath_time_mono(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct ath_mono){ (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec };
}

struct ath_wall ath_time_wall(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct ath_wall){ (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 };
}

uint64_t ath_time_elapsed_ms(struct ath_mono since)
{
	return (ath_time_mono().ns - since.ns) / 1000000U;
}

void ath_time_put_wall(struct ath_str *str, struct ath_wall at)
{
	int ms = (int)(at.ms % 1000 + 1000) % 1000; /* also before 1970 */
	time_t seconds = (time_t)((at.ms - ms) / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	ath_str_printf(str, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
		       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		       ms);
}

void ath_time_put_duration(struct ath_str *str, uint64_t ms)
{
	if (ms < 10000)
		ath_str_printf(str, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
	else if (ms < 60000)
		ath_str_printf(str, "%" PRIu64 " s", ms / 1000);
	else
		ath_str_printf(str, "%" PRIu64 " min %02" PRIu64 " s", ms / 60000, ms / 1000 % 60);
}

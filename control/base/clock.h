/*
 * clock - time as the product shows and measures it. Any thread.
 */
#ifndef HOOKSWITCH_BASE_CLOCK_H
#define HOOKSWITCH_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_RFC2822_SIZE 32 /* "Sun, 25 Mar 2018 09:53:19 +0000" and the NUL */

uint64_t clock_mono_ms(void); /* monotonic milliseconds: deadlines, durations */
uint64_t clock_mono_ns(void);
int64_t clock_wall_ms(void); /* milliseconds since the epoch, UTC */

/* RFC 2822 date in UTC, English names whatever the locale. */
void clock_rfc2822(char ret[CLOCK_RFC2822_SIZE], time_t t);

#endif

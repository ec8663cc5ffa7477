/* What the media tests judge audio with: mu-law back to samples, level, and how much of it is one
 * frequency. */
#ifndef TEST_MEDIA_TONE_H
#define TEST_MEDIA_TONE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <spandsp.h>

/* Of the energy in samples [from, from+n): the share at hz (Goertzel), 0 to 1. */
static inline double tone_share(const uint8_t *ulaw, size_t from, size_t n, double hz)
{
	double s1 = 0, s2 = 0, energy = 0, w = 2 * cos(2 * M_PI * hz / 8000);

	for (size_t i = 0; i < n; i++) {
		double x = ulaw_to_linear(ulaw[from + i]), s = x + w * s1 - s2;

		energy += x * x;
		s2 = s1;
		s1 = s;
	}
	if (energy <= 0)
		return 0;
	return (s1 * s1 + s2 * s2 - w * s1 * s2) / (energy * (double)n / 2);
}

static inline double tone_rms(const uint8_t *ulaw, size_t from, size_t n)
{
	double energy = 0;

	for (size_t i = 0; i < n; i++) {
		double x = ulaw_to_linear(ulaw[from + i]);

		energy += x * x;
	}
	return n ? sqrt(energy / (double)n) : 0;
}

#endif

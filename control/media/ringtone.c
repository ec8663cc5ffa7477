#include "media/ringtone.h"

#include "media/prompt.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_PER_MS 8
#define AMPLITUDE      2230.0 /* -20 dBm0, RMS of the whole tone, as a sine of G.711's 3.17 dBm0 */

struct ringtone {
	const char *country;
	unsigned short hz[2];	/* 0: only one */
	unsigned short beat_hz; /* modulates the tone's amplitude; 0: none */
	unsigned short ms[4];	/* on, off, on, off; 0: no second ring */
};

#define RINGS(on, off)	   { on, off, 0, 0 }
#define RINGS_TWICE(pause) { 400, 200, 400, pause }

static const struct ringtone table[] = {
	{ "at", { 420 }, 0, RINGS(1000, 5000) },      { "au", { 413, 438 }, 0, RINGS_TWICE(2000) },
	{ "bg", { 425 }, 0, RINGS(1000, 4000) },      { "br", { 425 }, 0, RINGS(1000, 4000) },
	{ "be", { 425 }, 0, RINGS(1000, 3000) },      { "ch", { 425 }, 0, RINGS(1000, 4000) },
	{ "cl", { 400 }, 0, RINGS(1000, 3000) },      { "cn", { 450 }, 0, RINGS(1000, 4000) },
	{ "cz", { 425 }, 0, RINGS(1000, 4000) },      { "de", { 425 }, 0, RINGS(1000, 4000) },
	{ "dk", { 425 }, 0, RINGS(1000, 4000) },      { "ee", { 425 }, 0, RINGS(1000, 4000) },
	{ "es", { 425 }, 0, RINGS(1500, 3000) },      { "fi", { 425 }, 0, RINGS(1000, 4000) },
	{ "fr", { 440 }, 0, RINGS(1500, 3500) },      { "gr", { 425 }, 0, RINGS(1000, 4000) },
	{ "hu", { 425 }, 0, RINGS(1250, 3750) },      { "il", { 400 }, 0, RINGS(1000, 3000) },
	{ "in", { 400 }, 25, RINGS_TWICE(2000) },     { "it", { 425 }, 0, RINGS(1000, 4000) },
	{ "lt", { 425 }, 0, RINGS(1000, 4000) },      { "jp", { 400 }, 16, RINGS(1000, 2000) },
	{ "mx", { 425 }, 0, RINGS(1000, 4000) },      { "my", { 425 }, 0, RINGS_TWICE(2000) },
	{ "nl", { 425 }, 0, RINGS(1000, 4000) },      { "no", { 425 }, 0, RINGS(1000, 4000) },
	{ "nz", { 400, 450 }, 0, RINGS_TWICE(2000) }, { "ph", { 425, 480 }, 0, RINGS(1000, 4000) },
	{ "pl", { 425 }, 0, RINGS(1000, 4000) },      { "pt", { 425 }, 0, RINGS(1000, 5000) },
	{ "ru", { 425 }, 0, RINGS(800, 3200) },	      { "se", { 425 }, 0, RINGS(1000, 5000) },
	{ "sg", { 425 }, 24, RINGS_TWICE(2000) },     { "th", { 400 }, 0, RINGS(1000, 4000) },
	{ "uk", { 400, 450 }, 0, RINGS_TWICE(2000) }, { "us", { 440, 480 }, 0, RINGS(2000, 4000) },
	{ "us-old", { 420 }, 40, RINGS(2000, 4000) }, { "tw", { 440, 480 }, 0, RINGS(1000, 2000) },
	{ "ve", { 425 }, 0, RINGS(1000, 4000) },      { "za", { 400 }, 33, RINGS_TWICE(2000) },
};

#define COUNTRIES (sizeof(table) / sizeof(table[0]))

static struct prompt *made[COUNTRIES];

static size_t find(const char *country)
{
	for (size_t i = 0; i < COUNTRIES; i++)
		if (!strcmp(table[i].country, country))
			return i;
	return find(RINGTONE_DEFAULT);
}

static int16_t sample(const struct ringtone *t, size_t at)
{
	double s = (double)at / (SAMPLES_PER_MS * 1000), w = 2 * M_PI * s;
	double tone = sin(w * t->hz[0]);

	if (t->hz[1])
		tone = (tone + sin(w * t->hz[1])) / M_SQRT2;
	if (t->beat_hz)
		tone *= (1 + cos(w * t->beat_hz)) / 2;
	return (int16_t)lrint(AMPLITUDE * tone);
}

static struct prompt *make(const struct ringtone *t)
{
	size_t n = 0, at = 0;
	struct prompt *p;
	int16_t *pcm;

	for (int i = 0; i < 4; i++)
		n += (size_t)t->ms[i] * SAMPLES_PER_MS;
	pcm = calloc(n, sizeof(*pcm));
	if (!pcm)
		return NULL;
	for (int i = 0; i < 4; i++) {
		size_t len = (size_t)t->ms[i] * SAMPLES_PER_MS;

		for (size_t k = 0; i % 2 == 0 && k < len; k++)
			pcm[at + k] = sample(t, k);
		at += len;
	}
	p = prompt_new(pcm, n);
	free(pcm);
	return p;
}

int ringtone_get(struct prompt **ret, const char *country)
{
	size_t i = find(country ? country : RINGTONE_DEFAULT);

	if (!made[i])
		made[i] = make(&table[i]);
	*ret = made[i] ? prompt_ref(made[i]) : NULL;
	return *ret ? 0 : -ENOMEM;
}

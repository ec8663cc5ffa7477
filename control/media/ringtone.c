#include "media/ringtone.h"

#include "media/prompt.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_PER_MS 8
#define AMPLITUDE      2230.0 /* of a sine at -20 dBm0: G.711 mu-law's largest, 32124, has 3.17 dBm0 */
#define EDGE_SAMPLES   40     /* 5 ms in which a ring comes and goes: a hard edge is a click */

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

/* at: since the period began, so that the second of two rings goes on with the tone of the first.
 */
static double tone(const struct ringtone *t, size_t at)
{
	double w = 2 * M_PI * (double)at / (SAMPLES_PER_MS * 1000);
	double x = sin(w * t->hz[0]);

	/* Two tones, or one with a beat, are scaled to the power of one sine. */
	if (t->hz[1])
		x = (x + sin(w * t->hz[1])) / M_SQRT2;
	if (t->beat_hz)
		x *= (1 + cos(w * t->beat_hz)) / 2 * sqrt(8.0 / 3);
	return AMPLITUDE * x;
}

/* From 0 to 1 over the first samples of a ring of len samples, back to 0 over its last. */
static double edge(size_t at, size_t len)
{
	size_t nearest = at < len - at ? at : len - at;

	if (nearest >= EDGE_SAMPLES)
		return 1;
	return (1 - cos(M_PI * (double)nearest / EDGE_SAMPLES)) / 2;
}

static struct prompt *make(const struct ringtone *t)
{
	size_t n = 0, start = 0;
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
			pcm[start + k] = (int16_t)lrint(tone(t, start + k) * edge(k, len));
		start += len;
	}
	p = prompt_new(pcm, n);
	free(pcm);
	return p;
}

int ringtone_get(struct prompt **ret, const char *country)
{
	size_t i = 0;

	if (!country)
		country = RINGTONE_DEFAULT;
	while (i < COUNTRIES && strcmp(table[i].country, country))
		i++;
	if (i == COUNTRIES)
		return -EINVAL;
	if (!made[i])
		made[i] = make(&table[i]);
	if (!made[i])
		return -ENOMEM;
	*ret = prompt_ref(made[i]);
	return 0;
}

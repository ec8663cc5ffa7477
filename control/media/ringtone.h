/*
 * ringtone - what a caller hears while another party's phone rings: frequencies and cadences of
 * ITU-T E.180 Supplement 2, by country. Loop thread only.
 */
#ifndef HOOKSWITCH_MEDIA_RINGTONE_H
#define HOOKSWITCH_MEDIA_RINGTONE_H

struct prompt;

#define RINGTONE_DEFAULT "us"

/*
 * One period of the cadence, whole packets long, at -20 dBm0; it begins and ends in silence, so
 * that played in a loop (media_play, MEDIA_FOREVER) it has no seam. country: a value of
 * <Dial ringTone> (twiml-and-webhooks.md §2.6); NULL: RINGTONE_DEFAULT. A reference to what is made
 * once and kept. -EINVAL: no such country, -ENOMEM.
 */
int ringtone_get(struct prompt **ret, const char *country);

#endif

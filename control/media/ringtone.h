/*
 * ringtone - what a caller hears while another party's phone rings: frequencies and cadences of
 * ITU-T E.180 Supplement 2, by country. Loop thread only.
 */
#ifndef HOOKSWITCH_MEDIA_RINGTONE_H
#define HOOKSWITCH_MEDIA_RINGTONE_H

struct prompt;

#define RINGTONE_DEFAULT "us"

/*
 * One period of the cadence, whole packets long: played in a loop it has no seam. country: a value
 * of <Dial ringTone>; NULL or one that is not known: RINGTONE_DEFAULT. A reference; made once.
 * -ENOMEM.
 */
int ringtone_get(struct prompt **ret, const char *country);

#endif

/*
 * call_fork - a call of ours to a user with several phones: one leg a binding, the first answer
 * wins. Until then the call has no leg of its own. Internal to call/.
 */
#ifndef HOOKSWITCH_CALL_CALL_FORK_H
#define HOOKSWITCH_CALL_CALL_FORK_H

struct call;
struct call_forks;
struct leg_call;

/* n legs, of which some may fail at once, later. 0; -ENOMEM: none was made. */
int call_forks_start(struct call *c, const struct leg_call *calls, unsigned n);
void call_forks_drop(struct call *c); /* their INVITEs are cancelled; none: as it was */

#endif

/*
 * supervisor - several hookswitchd processes of a node (HOOKSWITCHD_PROCESSES, docs/scaling.md):
 * opens what they have in common, starts them, starts one again that ended, and ends with them.
 */
#ifndef HOOKSWITCH_SUPERVISOR_H
#define HOOKSWITCH_SUPERVISOR_H

struct app_sockets;
struct config;

/* Until SIGTERM or SIGINT, which the processes get too. In each of them: its own end. Exit code. */
int supervisor_run(const struct config *config, const struct app_sockets *sockets);

#endif

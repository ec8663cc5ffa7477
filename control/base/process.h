/*
 * process - which of a node's hookswitchd processes this is, and what they have in common
 * (docs/scaling.md). Of a node with one process everything here is as if there were no others.
 *
 * The first hex digit of a CallSid, and the first behind "hs-" of a SIP tag, say whose the call is:
 * that of the process whose number is the digit modulo the number of processes. So they say it too
 * when there were more or fewer of them before.
 */
#ifndef HOOKSWITCH_BASE_PROCESS_H
#define HOOKSWITCH_BASE_PROCESS_H

#include <pthread.h>
#include <stddef.h>

#define PROCESSES_MAX 8

/* This is number index of count, 1 <= count <= PROCESSES_MAX. Once, before there are threads; until
 * then it is the only one. */
void process_set(unsigned index, unsigned count);
unsigned process_index(void);
unsigned process_count(void);

/* Any thread. One of this process's own digits, each as likely as the others. */
char process_digit(void);
/* Whose call this CallSid is; of what is none: ours. */
unsigned process_of_call(const char *call_sid);
/* For what goes with this call wherever it goes: its digit; of what is no CallSid one of ours. */
char process_digit_of_call(const char *call_sid);

/* As process_digit, where all calls of an account are one process's (HOOKSWITCHD_SPREAD account,
 * process_keep_accounts): one of its digits, by the account's SID. */
void process_keep_accounts(void);
char process_digit_of_account(const char *account_sid);

/* Zeroed memory that processes forked later have in common, for ever. NULL: none left. */
void *process_shared(size_t bytes);
void process_shared_free(void *memory, size_t bytes);

/* A lock in such memory; a process that dies with it leaves it free. */
struct process_lock {
	pthread_mutex_t mutex;
};
void process_lock_init(struct process_lock *l);
void process_lock(struct process_lock *l);
void process_unlock(struct process_lock *l);

#endif

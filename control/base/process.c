#include "base/process.h"

#include "base/log.h"
#include "base/sid.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#define DIGITS 16

static const char digits[] = "0123456789abcdef";
static unsigned own, processes = 1;
static bool by_account;

void process_set(unsigned index, unsigned count)
{
	BUG_ON(!count || count > PROCESSES_MAX || index >= count);
	own = index;
	processes = count;
}

unsigned process_index(void)
{
	return own;
}

unsigned process_count(void)
{
	return processes;
}

static unsigned value_of(char digit)
{
	/* A letter of either case. */
	const char *at = memchr(digits, digit | 0x20, DIGITS);

	return at ? (unsigned)(at - digits) : own;
}

static char digit_of(unsigned process)
{
	unsigned of_ours = (DIGITS - process + processes - 1) / processes;
	char random[9];
	unsigned long n = 0;

	random_hex(random, 8);
	for (const char *s = random; *s; s++)
		n = n * DIGITS + value_of(*s);
	return digits[process + n % of_ours * processes];
}

char process_digit(void)
{
	return digit_of(own);
}

char process_digit_of_call(const char *call_sid)
{
	return sid_valid(call_sid, "CA") ? digits[value_of(call_sid[2])] : process_digit();
}

void process_keep_accounts(void)
{
	by_account = true;
}

char process_digit_of_account(const char *account_sid)
{
	bool known = by_account && sid_valid(account_sid, "AC");

	return digit_of(known ? value_of(account_sid[2]) % processes : own);
}

unsigned process_of_call(const char *call_sid)
{
	return sid_valid(call_sid, "CA") ? value_of(call_sid[2]) % processes : own;
}

void *process_shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void process_shared_free(void *memory, size_t bytes)
{
	munmap(memory, bytes);
}

void process_lock_init(struct process_lock *l)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&l->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
}

void process_lock(struct process_lock *l)
{
	if (pthread_mutex_lock(&l->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&l->mutex);
}

void process_unlock(struct process_lock *l)
{
	pthread_mutex_unlock(&l->mutex);
}

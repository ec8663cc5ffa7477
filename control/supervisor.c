#define LOG_SUBSYSTEM "supervisor"
#include "supervisor.h"

#include "app.h"
#include "base/config.h"
#include "base/log.h"
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS 1000 /* after the end of a process the next one of its number begins */

struct supervisor {
	const struct config *config;
	const struct app_sockets *sockets;
	unsigned count;
	pid_t processes[PROCESSES_MAX]; /* 0: it ended */
};

static void wanted_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGCHLD);
}

/* In the new process: its exit code. */
static int be(const struct supervisor *s, unsigned index, pid_t supervisor)
{
	sigset_t signals;
	char name[16];

	/* It does not outlive the supervisor, which may have gone already. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != supervisor)
		return 1;
	wanted_signals(&signals);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	snprintf(name, sizeof(name), "hookswitchd/%c", (char)('0' + index));
	prctl(PR_SET_NAME, name);
	log_set_process(index);
	process_set(index, s->count);
	app_begin_process();
	return app_run(s->config, s->sockets);
}

/* Those that do not run. True: this is one of them, and has ended with *code. */
static bool start_missing(struct supervisor *s, int *code)
{
	pid_t own = getpid(), pid;

	for (unsigned i = 0; i < s->count; i++) {
		if (s->processes[i])
			continue;
		pid = fork();
		if (pid == 0) {
			*code = be(s, i, own);
			return true;
		}
		if (pid < 0)
			log_error("process %u was not started: %s", i, strerror(errno));
		else
			s->processes[i] = pid;
	}
	return false;
}

static void tell_how(unsigned index, int status)
{
	if (WIFSIGNALED(status))
		log_error("process %u was killed by signal %d (%s): those of its calls that "
			  "were not bridged are lost, it starts again",
			  index, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_error("process %u ended with code %d: it starts again", index,
			  WEXITSTATUS(status));
}

/* How many of them ended. */
static unsigned reap(struct supervisor *s, bool ending)
{
	unsigned n = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < s->count; i++) {
			if (s->processes[i] != pid)
				continue;
			s->processes[i] = 0;
			n++;
			if (!ending)
				tell_how(i, status);
		}
	return n;
}

static bool runs(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->processes[i])
			return true;
	return false;
}

/* As long as some of them take: who started us has a deadline of its own. */
static void end_all(struct supervisor *s)
{
	sigset_t signals;
	int signal_number;

	for (unsigned i = 0; i < s->count; i++)
		if (s->processes[i])
			kill(s->processes[i], SIGTERM);
	wanted_signals(&signals);
	for (reap(s, true); runs(s); reap(s, true))
		sigwait(&signals, &signal_number);
}

int supervisor_run(const struct config *config, const struct app_sockets *sockets)
{
	static const struct timespec again = { .tv_sec = AGAIN_MS / 1000 };
	struct supervisor s = { .config = config,
				.sockets = sockets,
				.count = (unsigned)config->processes };
	sigset_t signals;
	int code, number;

	process_set(0, s.count);
	if (!strcmp(config->spread, "account"))
		process_keep_accounts();
	if (app_share() < 0) {
		log_error("no memory for what the processes have in common");
		return 1;
	}
	wanted_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (start_missing(&s, &code))
		return code;
	log_info("%u processes", s.count);
	for (;;) {
		bool missing = false;

		for (unsigned i = 0; i < s.count; i++)
			missing |= !s.processes[i];
		number = missing ? sigtimedwait(&signals, NULL, &again)
				 : sigwaitinfo(&signals, NULL);
		if (number == SIGTERM || number == SIGINT) {
			end_all(&s);
			return 0;
		}
		if (number == SIGCHLD)
			reap(&s, false);
		else if (missing && number < 0 && errno == EAGAIN && start_missing(&s, &code))
			return code;
	}
}

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_SUBSYSTEM "speech"
#include "base/clock.h"
#include "base/log.h"
#include "media/pcm.h"
#include "media/speech_child.h"
#include "media/speech_synth.h"

#define DEADLINE_MS  60000
#define POLL_MS	     50	  /* how soon a cancel is seen */
#define REQUESTS_MAX 1000 /* of one process: what its libraries leak goes with it */

struct reply {
	int r;
	size_t samples; /* and as many bytes follow */
};

static bool transfer(int fd, void *data, size_t len_bytes, bool out)
{
	char *p = data;

	while (len_bytes) {
		ssize_t n = out ? send(fd, p, len_bytes, MSG_NOSIGNAL) : recv(fd, p, len_bytes, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len_bytes -= (size_t)n;
	}
	return true;
}

static void child_main(int fd, const struct speech_voices *voices, pid_t parent)
{
	static const atomic_bool never;
	struct speech_request q;
	int null;

	/* Nothing of the daemon's but its memory: no sockets, no output of libraries in its log. */
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
	null = open("/dev/null", O_RDWR);
	for (int i = 0; null >= 0 && i < 3; i++)
		dup2(null, i);
	prctl(PR_SET_NAME, "speech-child");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	while (transfer(fd, &q, sizeof(q), false)) {
		struct prompt *p = NULL;
		struct reply reply = { .r = -ENOMEM };
		char *data = malloc(q.len_bytes + 1);

		if (!data || !transfer(fd, data, q.len_bytes, false))
			break;
		data[q.len_bytes] = '\0';
		reply.r = q.voice ? speech_synthesise(&p, voices, q.voice, data, &never)
				  : prompt_decode(&p, data, q.len_bytes, q.content_type, &q.limits);
		reply.samples = p ? p->samples : 0;
		if (!transfer(fd, &reply, sizeof(reply), true) ||
		    (p && !transfer(fd, (void *)(uintptr_t)p->ulaw, p->samples, true)))
			break;
		prompt_unref(p);
		free(data);
	}
	_exit(0);
}

int speech_child_start(struct speech_child *child)
{
	pid_t parent = getpid();
	int fds[2];

	if (child->pid && waitpid(child->pid, NULL, WNOHANG) != 0) { /* it died while idle */
		close(child->fd);
		child->pid = 0;
	}
	if (child->requests == REQUESTS_MAX)
		speech_child_stop(child);
	child->requests++;
	if (child->pid)
		return 0;
	child->requests = 1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0)
		child_main(fds[1], child->voices, parent);
	close(fds[1]);
	if (child->pid < 0) {
		int r = -errno;

		close(fds[0]);
		child->pid = 0;
		return r;
	}
	child->fd = fds[0];
	return 0;
}

void speech_child_stop(struct speech_child *child)
{
	if (!child->pid)
		return;
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(child->fd);
	child->pid = 0;
}

/* Moves len_bytes to or from the child before the deadline. */
static int exchange(struct speech_child *child, void *data, size_t len_bytes, bool out,
		    uint64_t deadline_ms, const atomic_bool *cancelled)
{
	char *p = data;

	while (len_bytes) {
		struct pollfd pfd = { .fd = child->fd, .events = out ? POLLOUT : POLLIN };
		ssize_t n = 0;

		if (atomic_load(cancelled))
			return -ECANCELED;
		if (clock_mono_ms() >= deadline_ms)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, POLL_MS) <= 0)
			continue;
		n = out ? send(child->fd, p, len_bytes, MSG_NOSIGNAL | MSG_DONTWAIT)
			: recv(child->fd, p, len_bytes, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return -EPIPE;
		p += n;
		len_bytes -= (size_t)n;
	}
	return 0;
}

static int take_prompt(struct prompt **ret, struct speech_child *child, size_t samples,
		       uint64_t deadline_ms, const atomic_bool *cancelled)
{
	struct prompt *p;
	uint8_t *ulaw = malloc(samples);
	int r = -ENOMEM;

	if (!ulaw)
		goto out;
	r = exchange(child, ulaw, samples, false, deadline_ms, cancelled);
	if (r < 0)
		goto out;
	p = prompt_new_ulaw(ulaw, samples);
	r = p ? 0 : -ENOMEM;
	if (p)
		*ret = p;
out:
	free(ulaw);
	return r;
}

/* One try; a child that failed is stopped. Errors of the request itself are in *ret_r. */
static int attempt(struct prompt **ret, int *ret_r, struct speech_child *child,
		   const struct speech_request *q, const void *data, const atomic_bool *cancelled)
{
	size_t max_samples =
		PCM_RATE * (size_t)(q->voice ? SPEECH_SECONDS_MAX : q->limits.max_seconds);
	uint64_t deadline_ms = clock_mono_ms() + DEADLINE_MS;
	struct speech_request request = *q;
	struct reply reply = { 0 };
	int r = speech_child_start(child);

	if (r < 0)
		return r;
	r = exchange(child, &request, sizeof(request), true, deadline_ms, cancelled);
	if (!r)
		r = exchange(child, (void *)(uintptr_t)data, q->len_bytes, true, deadline_ms,
			     cancelled);
	if (!r)
		r = exchange(child, &reply, sizeof(reply), false, deadline_ms, cancelled);
	if (!r && (reply.r > 0 || (!reply.r && (!reply.samples || reply.samples > max_samples))))
		r = -EPROTO; /* its memory is no longer what it was */
	if (!r && !reply.r)
		r = take_prompt(ret, child, reply.samples, deadline_ms, cancelled);
	if (r < 0)
		speech_child_stop(child);
	else
		*ret_r = reply.r;
	return r;
}

int speech_child_run(struct prompt **ret, struct speech_child *child,
		     const struct speech_request *q, const void *data, const atomic_bool *cancelled)
{
	int reply_r = 0, r, used;

	do {
		used = child->pid != 0;
		r = attempt(ret, &reply_r, child, q, data, cancelled);
		if (!r)
			return reply_r;
		if (r == -ECANCELED || r == -ENOMEM)
			return r;
		log_warn("%s failed on %zu bytes (%s) and is started anew",
			 q->voice ? q->voice->engine->name : "a decoder", q->len_bytes,
			 strerror(-r));
		/* An earlier text may have left it damaged: only a fresh one proves this text
		 * guilty. */
	} while (used && (r == -EPIPE || r == -EPROTO));
	return -EIO;
}

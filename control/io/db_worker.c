#include "io/db.h"

#include "base/metrics.h"
#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define RETRY_US 10000

struct job {
	struct job *next;
	db_job_fn *run;
	db_done_fn *done;
	void *arg;
};

struct db_worker {
	struct loop *loop;
	struct db *db;
	pthread_t thread;
	pthread_mutex_t lock; /* guards jobs, tail, stopping */
	pthread_cond_t more;
	struct job *jobs, **tail;
	_Atomic unsigned queued;
	unsigned queue_max;
	bool stopping;
};

static void *work(void *arg)
{
	struct db_worker *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct job *job = w->jobs;

		if (!job) {
			if (w->stopping)
				break;
			pthread_cond_wait(&w->more, &w->lock);
			continue;
		}
		w->jobs = job->next;
		if (!w->jobs)
			w->tail = &w->jobs;
		pthread_mutex_unlock(&w->lock);
		job->run(job->arg, w->db);
		w->queued--;
		metrics_add(METRIC_DB_QUEUED, 0, 0, -1);
		/* While the loop stops, completions have nobody to go to: their owners are being
		 * freed. */
		while (job->done && loop_post(w->loop, job->done, job->arg) == -ENOMEM)
			usleep(RETRY_US);
		free(job);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

struct db_worker *db_worker_new(struct loop *loop, const char *conninfo, const char *options,
				unsigned queue_max)
{
	struct db_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->loop = loop;
	w->queue_max = queue_max;
	w->tail = &w->jobs;
	w->db = db_open(conninfo);
	if (w->db)
		db_options(w->db, options);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	if (!w->db || pthread_create(&w->thread, NULL, work, w)) {
		db_close(w->db);
		pthread_cond_destroy(&w->more);
		pthread_mutex_destroy(&w->lock);
		free(w);
		return NULL;
	}
	return w;
}

void db_worker_free(struct db_worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	db_close(w->db);
	pthread_cond_destroy(&w->more);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int db_worker_submit(struct db_worker *w, db_job_fn *run, db_done_fn *done, void *arg)
{
	struct job *job;

	job = malloc(sizeof(*job));
	if (!job)
		return -ENOMEM;
	*job = (struct job){ .run = run, .done = done, .arg = arg };
	pthread_mutex_lock(&w->lock);
	if (w->queued >= w->queue_max) {
		pthread_mutex_unlock(&w->lock);
		free(job);
		return -EAGAIN;
	}
	*w->tail = job;
	w->tail = &job->next;
	w->queued++;
	metrics_add(METRIC_DB_QUEUED, 0, 0, 1);
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

unsigned db_worker_queued(const struct db_worker *w)
{
	return w->queued;
}

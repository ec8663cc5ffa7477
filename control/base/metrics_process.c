/* What every process shows of itself (process_*). */
#include "base/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t ns_of(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) < 0 ? 0 : t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* The fields of /proc/self/stat that stand behind the name, which may hold anything (proc(5)):
 * start since boot in ticks (22), virtual memory in bytes (23), resident in pages (24). */
static void look_at_stat(void)
{
	unsigned long long start, virtual_bytes;
	char text[1024];
	FILE *f = fopen("/proc/self/stat", "re");
	const char *p;
	long resident;
	size_t n;

	if (!f)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
			 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			 "%*d %llu %llu %ld",
			 &start, &virtual_bytes, &resident) != 3)
		return;
	metrics_set(METRIC_PROCESS_VIRTUAL, 0, 0, (int64_t)virtual_bytes);
	metrics_set(METRIC_PROCESS_RESIDENT, 0, 0, resident * sysconf(_SC_PAGESIZE));
	/* Once: the wall clock may be set later, the start does not move. */
	if (!metrics_get(METRIC_PROCESS_START_NS, 0, 0))
		metrics_set(METRIC_PROCESS_START_NS, 0, 0,
			    ns_of(CLOCK_REALTIME) - ns_of(CLOCK_BOOTTIME) +
				    (int64_t)start * (NS_PER_S / sysconf(_SC_CLK_TCK)));
}

static void look_at_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct rlimit limit;
	int64_t n = -1; /* the directory's own */

	if (dir) {
		for (struct dirent *e; (e = readdir(dir));)
			n += e->d_name[0] != '.';
		closedir(dir);
		metrics_set(METRIC_PROCESS_FDS, 0, 0, n);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_set(METRIC_PROCESS_FDS_MAX, 0, 0, (int64_t)limit.rlim_cur);
}

void metrics_look_at_process(void)
{
	metrics_set(METRIC_BUILD_INFO, 0, 0, 1);
	metrics_set(METRIC_PROCESS_CPU_NS, 0, 0, ns_of(CLOCK_PROCESS_CPUTIME_ID));
	look_at_stat();
	look_at_fds();
}

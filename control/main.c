/* hookswitchd: command line, settings, the application. */
#define LOG_SUBSYSTEM "main"
#include "app.h"
#include "base/config.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
	fprintf(stderr, "usage: hookswitchd             run, with the settings of the environment\n"
			"       hookswitchd --settings  print the table of settings\n"
			"       hookswitchd --health    exit 0 when the daemon of this host answers\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	struct config config;
	char err[512];

	if (argc == 2 && !strcmp(argv[1], "--settings")) {
		config_print_table();
		return 0;
	}
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--health")))
		return usage();
	if (config_load(&config, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return 1;
	}
	if (argc == 2)
		return app_health(&config);
	for (int i = 0; i < 4; i++)
		if (!strcmp(levels[i], config.log_level))
			log_set_level((enum log_level)i);
	signal(SIGPIPE, SIG_IGN);
	return app_run(&config);
}

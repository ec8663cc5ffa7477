/* hookswitchd: command line, settings, the application. */
#define LOG_SUBSYSTEM "main"
#include "api/openapi.h"
#include "api/resource.h"
#include "app.h"
#include "base/config.h"
#include "base/log.h"
#include "proto/twiml_schema.h"
#include "supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
	fprintf(stderr,
		"usage: hookswitchd             run, with the settings of the environment\n"
		"       hookswitchd --settings  print the table of settings\n"
		"       hookswitchd --tables    print the tables of TwiML and REST\n"
		"       hookswitchd --openapi   print the OpenAPI document of REST\n"
		"       hookswitchd --health    exit 0 when the daemon of this host answers\n");
	return 2;
}

/* One line a row, for docs/coverage.md. */
static void print_tables(void)
{
	static const struct {
		int can;
		const char *method, *tail;
	} operations[] = {
		{ 0, "GET", "" },
		{ CAN_CREATE, "POST", "" },
		{ 0, "GET", "/{Sid}" },
		{ CAN_UPDATE, "POST", "/{Sid}" },
		{ CAN_DELETE, "DELETE", "/{Sid}" },
	};
	const struct twiml_element_rule *e;
	const struct resource *r;

	for (size_t i = 0; (e = twiml_element_at(i)); i++) {
		printf("element %s\n", e->name);
		for (size_t k = 0; k < e->n_attrs; k++)
			printf("attribute %s %s\n", e->name, e->attrs[k].name);
	}
	for (size_t i = 0; (r = resource_at(i)); i++)
		for (size_t k = 0; k < sizeof(operations) / sizeof(operations[0]); k++)
			if ((r->can & operations[k].can) == operations[k].can &&
			    !(*operations[k].tail && (r->singleton || r->list_only)))
				printf("operation %s %s%s\n", operations[k].method,
				       r->top ? "/Accounts" : r->path, operations[k].tail);
}

static int print_openapi(void)
{
	char *document = openapi_document();

	if (!document)
		return 1;
	puts(document);
	free(document);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	struct app_sockets sockets;
	struct config config;
	char err[512];

	if (argc == 2 && !strcmp(argv[1], "--settings")) {
		config_print_table();
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--tables")) {
		print_tables();
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--openapi"))
		return print_openapi();
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
	if (app_open(&config, &sockets, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return 1;
	}
	return config.processes > 1 ? supervisor_run(&config, &sockets)
				    : app_run(&config, &sockets);
}

#include "api/health.h"

#include "api/protocol.h"
#include "api/request.h"
#include "base/metrics.h"
#include "io/db.h"

#include <string.h>

#define PAGE_MAX_BYTES (1u << 20)

static void answer_health(struct api_request *q)
{
	api_reply(q, 200, json_pack("{s:s}", "status", "ok"));
}

static void add_state(json_t *dependencies, struct buf *away, const char *name, bool up)
{
	json_object_set_new(dependencies, name, json_string(up ? "up" : "down"));
	if (!up)
		buf_addf(away, "%s ", name);
}

static void answer_ready(struct api_request *q)
{
	struct api_neighbours neighbours = { false, false };
	json_t *dependencies = json_object();
	struct buf away;

	buf_init(&away, 256);
	/* The first after a restart of the database meets the loss of the connection. */
	add_state(dependencies, &away, "database",
		  db_script(q->db, "SELECT 1") == 0 || db_script(q->db, "SELECT 1") == 0);
	if (q->options->neighbours) {
		q->options->neighbours(q->options->arg, &neighbours);
		add_state(dependencies, &away, "kamailio", neighbours.kamailio);
		add_state(dependencies, &away, "rtpengine", neighbours.rtpengine);
	}
	if (away.len)
		api_reply(q, 503,
			  json_pack("{s:s, s:s, s:o}", "status", "unavailable", "away", away.data,
				    "dependencies", dependencies));
	else
		api_reply(q, 200,
			  json_pack("{s:s, s:o}", "status", "ok", "dependencies", dependencies));
	buf_done(&away);
}

/* Asks no neighbour: the page is there when they are not. */
static void answer_metrics(struct api_request *q)
{
	struct buf page;

	if (q->options->measure)
		q->options->measure(q->options->arg);
	metrics_look_at_process();
	buf_init(&page, PAGE_MAX_BYTES);
	if (metrics_render(&page) < 0) {
		api_error(q, 20500, NULL);
		buf_done(&page);
		return;
	}
	q->out->status = 200;
	q->out->content_type = METRICS_CONTENT_TYPE;
	q->out->body_len = page.len;
	q->out->body = buf_steal(&page);
}

bool health_serve(struct api_request *q, const struct networks *monitors)
{
	static const struct {
		const char *path;
		void (*answer)(struct api_request *q);
	} pages[] = {
		{ "/healthz", answer_health },
		{ "/readyz", answer_ready },
		{ "/metrics", answer_metrics },
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (!strcmp(q->in->path, pages[i].path)) {
			if (protocol_only_get(q) < 0)
				return true;
			if (networks_have(monitors, (struct sockaddr *)&q->client.addr))
				pages[i].answer(q);
			else
				api_error(q, 20403, "%s is not among the networks of API_MONITORS",
					  q->client.ip);
			return true;
		}
	}
	return false;
}

/* A form that was read is written, and what was written reads back the same. */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/form.h"
#include "proto/utf8.h"

#define PAIRS_MAX 100

static void reads_back(const struct form *f, int space_plus)
{
	struct form again;
	struct buf b;

	form_init(&again);
	buf_init(&b, 1 << 20);
	MUST(form_encode(f, &b, space_plus) == 0);
	MUST(form_parse(&again, b.len ? b.data : "", b.len, PAIRS_MAX, NULL) == 0);
	MUST(again.count == f->count);
	for (size_t i = 0; i < f->count; i++) {
		MUST(!strcmp(again.pairs[i].name, f->pairs[i].name));
		MUST(!strcmp(again.pairs[i].value, f->pairs[i].value));
	}
	buf_done(&b);
	form_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t bad_at = 0;
	struct form f;

	form_init(&f);
	if (form_parse(&f, (const char *)data, size, PAIRS_MAX, &bad_at) == 0) {
		MUST(f.count <= PAIRS_MAX);
		for (size_t i = 0; i < f.count; i++) {
			MUST(utf8_ok(f.pairs[i].name, strlen(f.pairs[i].name)));
			MUST(utf8_ok(f.pairs[i].value, strlen(f.pairs[i].value)));
		}
		reads_back(&f, 0);
		reads_back(&f, 1);
	} else {
		MUST(bad_at < size + 1);
	}
	form_done(&f);
	return 0;
}

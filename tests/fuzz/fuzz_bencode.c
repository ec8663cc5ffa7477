/* Bencode: a value that was read is written, and reads back equal. */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/ng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used = 0, again_used = 0;
	json_t *value = bencode_read((const char *)data, size, &used), *again;
	struct buf b;

	if (!value)
		return 0;
	MUST(used && used <= size);
	buf_init(&b, 4 * size + 100);
	MUST(bencode_write(&b, value) == 0);
	again = bencode_read(b.data, b.len, &again_used);
	MUST(again && again_used == b.len && json_equal(value, again));
	json_decref(again);
	json_decref(value);
	buf_done(&b);
	return 0;
}

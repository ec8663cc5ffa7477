#include "proto/ng.h"

#include "base/buf.h"
#include "proto/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX  32
#define VALUES_MAX 20000

int bencode_write(struct buf *b, const json_t *o)
{
	const char *key;
	json_t *value;
	size_t i;

	switch (json_typeof(o)) {
	case JSON_STRING:
		buf_addf(b, "%zu:", json_string_length(o));
		buf_add(b, json_string_value(o), json_string_length(o));
		break;
	case JSON_INTEGER:
		buf_addf(b, "i%" JSON_INTEGER_FORMAT "e", json_integer_value(o));
		break;
	case JSON_ARRAY:
		buf_addc(b, 'l');
		json_array_foreach(o, i,
				   value) if (bencode_write(b, value) == -EINVAL) return -EINVAL;
		buf_addc(b, 'e');
		break;
	case JSON_OBJECT:
		buf_addc(b, 'd');
		json_object_foreach((json_t *)o, key, value)
		{
			buf_addf(b, "%zu:%s", strlen(key), key);
			if (bencode_write(b, value) == -EINVAL)
				return -EINVAL;
		}
		buf_addc(b, 'e');
		break;
	default:
		return -EINVAL;
	}
	return b->error;
}

struct reader {
	const char *at, *end;
	unsigned values;
};

static json_t *read_value(struct reader *r, int depth);

/* "len:bytes"; false when it is not there whole. */
static int read_bytes(struct reader *r, const char **p, size_t *len)
{
	size_t n = 0;
	int digits = 0;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 9) {
		n = n * 10 + (size_t)(*r->at++ - '0');
		digits++;
	}
	if (!digits || r->at == r->end || *r->at++ != ':' || (size_t)(r->end - r->at) < n)
		return 0;
	*p = r->at;
	*len = n;
	r->at += n;
	return 1;
}

/* Bytes that are no UTF-8 become U+FFFD, so that what RTPengine relays of a peer cannot fail the
 * reply. */
static json_t *text(const char *p, size_t len)
{
	json_t *s = json_stringn(p, len);
	struct buf b;

	if (s)
		return s;
	buf_init(&b, len * 3 + 1);
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(p + i, len - i);

		if (n)
			buf_add(&b, p + i, n);
		else
			buf_adds(&b, "\xef\xbf\xbd");
		i += n ? n : 1;
	}
	s = b.error ? NULL : json_stringn(b.data ? b.data : "", b.len);
	buf_done(&b);
	return s;
}

static json_t *read_integer(struct reader *r)
{
	char digits[24], *end;
	size_t n = 0, sign;
	long long value;

	while (r->at < r->end && *r->at != 'e' && n + 1 < sizeof(digits))
		digits[n++] = *r->at++;
	digits[n] = '\0';
	if (!n || r->at == r->end || *r->at++ != 'e')
		return NULL;
	sign = digits[0] == '-';
	if (!isdigit((unsigned char)digits[sign]))
		return NULL;
	errno = 0;
	value = strtoll(digits, &end, 10);
	return *end || errno ? NULL : json_integer(value);
}

static json_t *read_list(struct reader *r, int depth)
{
	json_t *list = json_array();

	while (list && r->at < r->end && *r->at != 'e') {
		json_t *value = read_value(r, depth + 1);

		if (!value || json_array_append_new(list, value) < 0)
			goto fail;
	}
	if (list && r->at < r->end) {
		r->at++;
		return list;
	}
fail:
	json_decref(list);
	return NULL;
}

static json_t *read_dict(struct reader *r, int depth)
{
	json_t *dict = json_object();

	while (dict && r->at < r->end && *r->at != 'e') {
		const char *key;
		size_t len;
		json_t *value;

		if (!read_bytes(r, &key, &len) || memchr(key, 0, len))
			goto fail;
		value = read_value(r, depth + 1);
		if (!value || json_object_setn_new(dict, key, len, value) < 0)
			goto fail;
	}
	if (dict && r->at < r->end) {
		r->at++;
		return dict;
	}
fail:
	json_decref(dict);
	return NULL;
}

static json_t *read_value(struct reader *r, int depth)
{
	const char *p;
	size_t len;

	if (r->at == r->end || depth > DEPTH_MAX || ++r->values > VALUES_MAX)
		return NULL;
	switch (*r->at) {
	case 'i':
		r->at++;
		return read_integer(r);
	case 'l':
		r->at++;
		return read_list(r, depth);
	case 'd':
		r->at++;
		return read_dict(r, depth);
	default:
		return read_bytes(r, &p, &len) ? text(p, len) : NULL;
	}
}

json_t *bencode_read(const char *data, size_t len, size_t *used)
{
	struct reader r = { .at = data, .end = data + len };
	json_t *value = read_value(&r, 0);

	if (value && used)
		*used = (size_t)(r.at - data);
	return value;
}

#include "proto/netstring.h"

#include <errno.h>

#define DIGITS_MAX 9

int netstring_next(const char *data, size_t len, size_t max_bytes, const char **payload,
		   size_t *payload_len, size_t *used)
{
	size_t n = 0, i = 0;

	while (i < len && data[i] >= '0' && data[i] <= '9') {
		if (i == DIGITS_MAX || (i == 1 && data[0] == '0'))
			return -EPROTO;
		n = n * 10 + (size_t)(data[i++] - '0');
	}
	if (n > max_bytes)
		return -EPROTO;
	if (i == len)
		return 0;
	if (i == 0 || data[i] != ':')
		return -EPROTO;
	i++;
	if (len - i < n + 1)
		return 0;
	if (data[i + n] != ',')
		return -EPROTO;
	*payload = data + i;
	*payload_len = n;
	*used = i + n + 1;
	return 1;
}

#define LOG_SUBSYSTEM "log"
#include "base/log.h"

#include "base/metrics.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static _Atomic int min_level = LOG_INFO;
static char process[16]; /* behind the subsystem */

void log_set_process(unsigned number)
{
	snprintf(process, sizeof(process), "/%u", number);
}

void log_set_level(enum log_level level)
{
	min_level = level;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629 §4) with its code point; 0 when there is
 * none. */
static size_t utf8_sequence(const unsigned char *p, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p >= 0xf0 && *p < 0xf8   ? 4
		   : *p >= 0xe0 && *p < 0xf0 ? 3
		   : *p >= 0xc0 && *p < 0xe0 ? 2
					     : 0;
	uint32_t c = *p & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (!n || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

/* C1 controls, invisible characters, line separators and what turns the direction of writing. */
static bool deceives(uint32_t c)
{
	return c < 0xa0 || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff0 && c <= 0xfffb) || c >= 0xe0000;
}

/* Printable ASCII but the backslash as it is, and well-formed UTF-8 that a reader can see; the rest
 * as \xNN. */
static size_t escape(char *out, size_t size, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = 0;

	while (*p && n + 5 < size) {
		uint32_t c;
		size_t len = *p < 0x80 ? 0 : utf8_sequence(p, &c);

		if (len && !deceives(c)) {
			memcpy(out + n, p, len);
			n += len;
			p += len;
			continue;
		}
		if (*p >= 0x20 && *p < 0x7f && *p != '\\')
			out[n++] = (char)*p;
		else
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", *p);
		p++;
	}
	return n;
}

void log_write(enum log_level level, const char *subsystem, const char *fmt, ...)
{
	static const char *const names[] = { "DEBUG", "INFO", "WARN", "ERROR" };
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 2];
	size_t n;
	va_list ap;

	if ((int)level < min_level)
		return;
	metrics_count(METRIC_LOG_LINES, level, 0);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = (size_t)snprintf(line, sizeof(line), "%s %s%s: ", names[level], subsystem, process);
	n += escape(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	/* One write a line: lines of several threads do not mix. A log that cannot be written is
	 * nobody's to fix here. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void bug(const char *file, int line, const char *what)
{
	log_error("bug at %s:%d: %s", file, line, what);
	abort();
}

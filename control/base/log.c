#define LOG_SUBSYSTEM "log"
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static _Atomic int min_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	min_level = level;
}

/* Printable ASCII as it is, and UTF-8 lead and continuation bytes; C0, DEL and the backslash as \xNN. */
static size_t escape(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p && n + 5 < size; p++) {
		if (*p < 0x20 || *p == 0x7f || *p == '\\' || (*p >= 0x80 && *p < 0xa0 && (p == (const unsigned char *)text || p[-1] == 0xc2)))
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", *p);
		else
			out[n++] = (char)*p;
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
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = (size_t)snprintf(line, sizeof(line), "%s %s: ", names[level], subsystem);
	n += escape(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	/* One write a line: lines of several threads do not mix. A log that cannot be written is nobody's to fix here. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void bug(const char *file, int line, const char *what)
{
	log_error("bug at %s:%d: %s", file, line, what);
	abort();
}

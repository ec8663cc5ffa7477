/*
 * log - the daemon's log: one line an event on stderr, "LEVEL subsystem: text".
 *
 * Any thread. Every byte outside printable ASCII/UTF-8 letters is written as \xNN, so that a peer's
 * text can never forge a line. Libraries and leaf modules return errors; who decides what to do
 * logs, once.
 */
#ifndef HOOKSWITCH_BASE_LOG_H
#define HOOKSWITCH_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
/* Lines name this process of several too, as in "INFO app/1: ready". Once, before there are
 * threads. */
void log_set_process(unsigned number);
void log_write(enum log_level level, const char *subsystem, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_debug(...) log_write(LOG_DEBUG, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, LOG_SUBSYSTEM, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, LOG_SUBSYSTEM, __VA_ARGS__)
/* A file that logs defines LOG_SUBSYSTEM before it includes this header. */

/* An impossible thing: our own bug, never what a peer or a customer can cause. Stays on in
 * production. */
void bug(const char *file, int line, const char *what) __attribute__((noreturn));
#define BUG_ON(cond) ((cond) ? bug(__FILE__, __LINE__, #cond) : (void)0)

#endif

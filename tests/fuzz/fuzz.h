/*
 * fuzz - what the targets share. A target is one file with LLVMFuzzerTestOneInput; it parses the
 * bytes as the daemon does and holds what comes out against what the module's header promises.
 */
#ifndef HOOKSWITCH_TESTS_FUZZ_H
#define HOOKSWITCH_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A promise that an input broke: as bad as a crash. */
#define MUST(cond)                                                                                 \
	((cond) ? (void)0                                                                          \
		: (fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a string, up to its first NUL; malloced. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

#endif

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "media/speech_engine.h"

static const struct {
	const char *name;
	enum speech_say_as how;
} names[] = {
	{ "characters", SAY_AS_CHARACTERS },
	{ "spell-out", SAY_AS_CHARACTERS },
	{ "cardinal", SAY_AS_NUMBER },
	{ "number", SAY_AS_NUMBER },
	{ "ordinal", SAY_AS_ORDINAL },
	{ "digits", SAY_AS_DIGITS },
	{ "fraction", SAY_AS_FRACTION },
	{ "date", SAY_AS_DATE },
	{ "time", SAY_AS_TIME },
	{ "telephone", SAY_AS_TELEPHONE },
	{ "expletive", SAY_AS_EXPLETIVE },
	{ "bleep", SAY_AS_EXPLETIVE },
};

static const char *const months[] = { "January",   "February", "March",	   "April",
				      "May",	   "June",     "July",	   "August",
				      "September", "October",  "November", "December" };

enum speech_say_as speech_say_as_find(const char *interpret_as)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(names[i].name, interpret_as))
			return names[i].how;
	return SAY_AS_TEXT; /* unit, address, and what is unknown: as it stands */
}

/* Each character by itself: a comma makes engines say the letter's name, and gives the ear time. */
static void add_characters(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isspace(c))
			continue;
		if ((c & 0xc0) != 0x80 && out->len)
			buf_adds(out, ", ");
		buf_addc(out, (char)(c < 0x80 ? toupper(c) : c));
	}
}

static void add_digits(struct buf *out, const char *text, bool groups)
{
	bool gap = false;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (!isdigit(c) && c < 0x80 && !isalpha(c) && c != '+' && c != '*' && c != '#') {
			gap = true;
			continue;
		}
		if ((c & 0xc0) != 0x80 && out->len)
			buf_adds(out, groups && gap ? ", " : " ");
		gap = false;
		buf_addc(out, (char)c);
	}
}

static void add_ordinal(struct buf *out, const char *text, bool english)
{
	size_t n = strlen(text);
	char last = n ? text[n - 1] : 0, before = n > 1 ? text[n - 2] : 0;

	buf_adds(out, text);
	if (!isdigit((unsigned char)last))
		return;
	if (!english)
		buf_addc(out, '.'); /* what most languages that have ordinals in digits write */
	else if (before == '1' || last == '0' || last > '3')
		buf_adds(out, "th");
	else
		buf_adds(out, last == '1' ? "st" : last == '2' ? "nd" : "rd");
}

/* "3/20" and "2 1/4": over; a mixed number has "and". */
static void add_fraction(struct buf *out, const char *text, bool english)
{
	const char *slash = strchr(text, '/');

	if (!english || !slash) {
		buf_adds(out, text);
		return;
	}
	for (const char *p = text; *p; p++) {
		if (*p == '/')
			buf_adds(out, " over ");
		else if ((*p == ' ' || *p == '+') && p < slash && out->len)
			buf_adds(out, p[1] == ' ' || p[1] == '+' ? "" : " and ");
		else
			buf_addc(out, *p);
	}
}

struct date {
	int year, month, day; /* 0: not said */
};

/* Numbers in the order that format names: y, m, d; yyyymmdd may stand without separators. */
static bool read_date(struct date *ret, const char *format, const char *text)
{
	struct date d = { 0 };
	bool compact = !strcasecmp(format, "yyyymmdd");
	const char *order = compact ? "ymd" : format;

	if (compact && strspn(text, "0123456789?") == 8) {
		for (int i = 0; i < 8; i++) {
			int *field = i < 4 ? &d.year : i < 6 ? &d.month : &d.day;

			*field = *field * 10 + (text[i] == '?' ? 0 : text[i] - '0');
		}
		text += 8;
		order = "";
	}
	for (; *order; order++) {
		int *field = *order == 'y'   ? &d.year
			     : *order == 'm' ? &d.month
			     : *order == 'd' ? &d.day
					     : NULL;
		int digits = 0;

		if (!field || *field) /* each once */
			return false;
		text += strspn(text, " /.-");
		for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
			*field = *field * 10 + (*text - '0');
		if (!digits)
			return false;
	}
	text += strspn(text, " ");
	*ret = d;
	return !*text && d.month <= 12 && d.day <= 31 && (d.month || d.day || d.year);
}

static void add_date(struct buf *out, const char *format, const char *text, bool english)
{
	struct date d;

	if (!english || !read_date(&d, format && *format ? format : "mdy", text)) {
		buf_adds(out, text);
		return;
	}
	if (d.month)
		buf_adds(out, months[d.month - 1]);
	if (d.day) {
		struct buf number;

		buf_init(&number, 16);
		buf_addf(&number, "%d", d.day);
		if (out->len)
			buf_addc(out, ' ');
		if (number.data)
			add_ordinal(out, number.data, true);
		buf_done(&number);
	}
	if (d.year)
		buf_addf(out, "%s%d", out->len ? ", " : "", d.year);
}

/* 1'21": minutes and seconds; other times are what engines read themselves. */
static void add_time(struct buf *out, const char *text, bool english)
{
	for (; *text; text++) {
		if (english && *text == '\'')
			buf_adds(out, " minutes ");
		else if (english && *text == '"')
			buf_adds(out, " seconds ");
		else
			buf_addc(out, *text);
	}
}

char *speech_say_as(enum speech_say_as how, const char *format, const char *text, bool english)
{
	struct buf out;
	char *s;

	text += strspn(text, " ");
	buf_init(&out, 8 * SPEECH_TEXT_MAX);
	switch (how) {
	case SAY_AS_CHARACTERS:
		add_characters(&out, text);
		break;
	case SAY_AS_DIGITS:
		add_digits(&out, text, false);
		break;
	case SAY_AS_TELEPHONE:
		add_digits(&out, text, true);
		break;
	case SAY_AS_ORDINAL:
		add_ordinal(&out, text, english);
		break;
	case SAY_AS_FRACTION:
		add_fraction(&out, text, english);
		break;
	case SAY_AS_DATE:
		add_date(&out, format, text, english);
		break;
	case SAY_AS_TIME:
		add_time(&out, text, english);
		break;
	case SAY_AS_TEXT:
	case SAY_AS_NUMBER:
	case SAY_AS_EXPLETIVE:
		buf_adds(&out, text);
		break;
	}
	buf_adds(&out, ""); /* text of nothing is a string too */
	s = buf_steal(&out);
	buf_done(&out);
	return s;
}

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "media/speech_names.h"

/* The name without its service and without -Neural, -Generative, -Long-Form; accents folded. */
static const struct {
	const char *name, *language;
	bool female;
} polly[] = {
	{ "Zeina", "arb", true },	   { "Hala", "ar-AE", true },
	{ "Zayd", "ar-AE", false },	   { "Arlet", "ca-ES", true },
	{ "Zhiyu", "cmn-CN", true },	   { "Hiujin", "yue-CN", true },
	{ "Jitka", "cs-CZ", true },	   { "Gwyneth", "cy-GB", true },
	{ "Mads", "da-DK", false },	   { "Naja", "da-DK", true },
	{ "Sofie", "da-DK", true },	   { "Hannah", "de-AT", true },
	{ "Sabrina", "de-CH", true },	   { "Marlene", "de-DE", true },
	{ "Vicki", "de-DE", true },	   { "Hans", "de-DE", false },
	{ "Daniel", "de-DE", false },	   { "Nicole", "en-AU", true },
	{ "Olivia", "en-AU", true },	   { "Russell", "en-AU", false },
	{ "Amy", "en-GB", true },	   { "Emma", "en-GB", true },
	{ "Brian", "en-GB", false },	   { "Arthur", "en-GB", false },
	{ "Geraint", "en-GB-WLS", false }, { "Niamh", "en-IE", true },
	{ "Aditi", "en-IN", true },	   { "Raveena", "en-IN", true },
	{ "Kajal", "en-IN", true },	   { "Aria", "en-NZ", true },
	{ "Jasmine", "en-SG", true },	   { "Danielle", "en-US", true },
	{ "Gregory", "en-US", false },	   { "Ivy", "en-US", true },
	{ "Joanna", "en-US", true },	   { "Kendra", "en-US", true },
	{ "Kimberly", "en-US", true },	   { "Salli", "en-US", true },
	{ "Ruth", "en-US", true },	   { "Tiffany", "en-US", true },
	{ "Joey", "en-US", false },	   { "Justin", "en-US", false },
	{ "Kevin", "en-US", false },	   { "Matthew", "en-US", false },
	{ "Stephen", "en-US", false },	   { "Patrick", "en-US", false },
	{ "Ayanda", "en-ZA", true },	   { "Conchita", "es-ES", true },
	{ "Lucia", "es-ES", true },	   { "Alba", "es-ES", true },
	{ "Enrique", "es-ES", false },	   { "Sergio", "es-ES", false },
	{ "Raul", "es-ES", false },	   { "Mia", "es-MX", true },
	{ "Andres", "es-MX", false },	   { "Lupe", "es-US", true },
	{ "Penelope", "es-US", true },	   { "Miguel", "es-US", false },
	{ "Pedro", "es-US", false },	   { "Suvi", "fi-FI", true },
	{ "Isabelle", "fr-BE", true },	   { "Chantal", "fr-CA", true },
	{ "Gabrielle", "fr-CA", true },	   { "Liam", "fr-CA", false },
	{ "Celine", "fr-FR", true },	   { "Lea", "fr-FR", true },
	{ "Mathieu", "fr-FR", false },	   { "Remi", "fr-FR", false },
	{ "Dora", "is-IS", true },	   { "Karl", "is-IS", false },
	{ "Carla", "it-IT", true },	   { "Bianca", "it-IT", true },
	{ "Giorgio", "it-IT", false },	   { "Adriano", "it-IT", false },
	{ "Mizuki", "ja-JP", true },	   { "Kazuha", "ja-JP", true },
	{ "Tomoko", "ja-JP", true },	   { "Takumi", "ja-JP", false },
	{ "Seoyeon", "ko-KR", true },	   { "Jihye", "ko-KR", true },
	{ "Liv", "nb-NO", true },	   { "Ida", "nb-NO", true },
	{ "Lisa", "nl-BE", true },	   { "Lotte", "nl-NL", true },
	{ "Laura", "nl-NL", true },	   { "Ruben", "nl-NL", false },
	{ "Ewa", "pl-PL", true },	   { "Maja", "pl-PL", true },
	{ "Ola", "pl-PL", true },	   { "Jacek", "pl-PL", false },
	{ "Jan", "pl-PL", false },	   { "Camila", "pt-BR", true },
	{ "Vitoria", "pt-BR", true },	   { "Ricardo", "pt-BR", false },
	{ "Thiago", "pt-BR", false },	   { "Ines", "pt-PT", true },
	{ "Cristiano", "pt-PT", false },   { "Carmen", "ro-RO", true },
	{ "Tatyana", "ru-RU", true },	   { "Maxim", "ru-RU", false },
	{ "Astrid", "sv-SE", true },	   { "Elin", "sv-SE", true },
	{ "Filiz", "tr-TR", true },	   { "Burcu", "tr-TR", true },
};
#define POLLY (sizeof(polly) / sizeof(polly[0]))

/* Names of their own. */
static const struct {
	const char *name, *language;
	bool female;
	const char *engine, *engine_voice;
} plain[] = {
	{ "man", "", false, NULL, NULL },
	{ "woman", "", true, NULL, NULL },
	{ "alice", "", true, NULL, NULL },
	{ "espeak.man", "", false, "espeak-ng", NULL },
	{ "espeak.woman", "", true, "espeak-ng", NULL },
	{ "flite.slt", "en-US", true, "flite", "slt" },
	{ "flite.rms", "en-US", false, "flite", "rms" },
	{ "flite.awb", "en-GB-SCOTLAND", false, "flite", "awb" },
	{ "flite.kal", "en-US", false, "flite", "kal" },
};
#define PLAIN (sizeof(plain) / sizeof(plain[0]))

static const char *const google_models[] = { "Standard", "Wavenet", "Neural2",	"News",	 "Studio",
					     "Casual",	 "Journey", "Polyglot", "Chirp", "Chirp3" };
static const char *const google_women[] = { "Achernar",	    "Aoede",   "Autonoe",     "Callirrhoe",
					    "Despina",	    "Erinome", "Gacrux",      "Kore",
					    "Laomedeia",    "Leda",    "Pulcherrima", "Sulafat",
					    "Vindemiatrix", "Zephyr" };
static const char *const google_men[] = {
	"Achird",     "Algenib", "Algieba", "Alnilam",	    "Charon",	  "Enceladus",
	"Fenrir",     "Iapetus", "Orus",    "Puck",	    "Rasalgethi", "Sadachbia",
	"Sadaltager", "Schedar", "Umbriel", "Zubenelgenubi"
};

static const char *const languages[] = {
	"en-US",     "en-GB",  "en-AU", "en-CA", "en-IE", "en-IN", "en-NZ", "en-SG", "en-ZA",
	"en-GB-WLS", "en",     "af-ZA", "ar-AE", "ar-XA", "arb",   "bg-BG", "bn-IN", "ca-ES",
	"cmn-CN",    "cmn-TW", "cs-CZ", "cy-GB", "da-DK", "de",	   "de-AT", "de-CH", "de-DE",
	"el-GR",     "es",     "es-ES", "es-MX", "es-US", "et-EE", "eu-ES", "fi-FI", "fil-PH",
	"fr",	     "fr-BE",  "fr-CA", "fr-CH", "fr-FR", "gl-ES", "gu-IN", "he-IL", "hi-IN",
	"hr-HR",     "hu-HU",  "id-ID", "is-IS", "it-IT", "ja-JP", "kn-IN", "ko-KR", "lt-LT",
	"lv-LV",     "ml-IN",  "mr-IN", "ms-MY", "nb-NO", "nl-BE", "nl-NL", "pa-IN", "pl-PL",
	"pt-BR",     "pt-PT",  "ro-RO", "ru-RU", "sk-SK", "sl-SI", "sr-RS", "sv-SE", "sw-KE",
	"ta-IN",     "te-IN",  "th-TH", "tr-TR", "uk-UA", "ur-IN", "ur-PK", "vi-VN", "yue-CN",
	"yue-HK",    "zh-CN",  "zh-HK", "zh-TW",
};
#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))

/* Where the engines' tag is not simply the language or its first part. */
static const struct {
	const char *language, *tag;
	bool near;
} aliases[] = {
	{ "en", "en-us", false },     { "en-ca", "en-us", false },  { "en-au", "en-gb", false },
	{ "en-ie", "en-gb", false },  { "en-in", "en-gb", false },  { "en-nz", "en-gb", false },
	{ "en-sg", "en-gb", false },  { "en-za", "en-gb", false },  { "en-gb-wls", "en-gb", false },
	{ "es-mx", "es-419", false }, { "es-us", "es-419", false }, { "fr", "fr-fr", false },
	{ "fr-ca", "fr-fr", false },  { "arb", "ar", false },	    { "no", "nb", false },
	{ "zh", "cmn", false },	      { "zh-cn", "cmn", false },    { "zh-tw", "cmn", false },
	{ "zh-hk", "yue", false },    { "fil-ph", "ms", true },	    { "fil", "ms", true },
	{ "tl", "ms", true },	      { "gl", "pt", true },	    { "gl-es", "pt", true },
};

/* Accented Latin letters (U+00C0-U+00FF, two bytes of UTF-8) to their base letter; false: too long.
 */
static bool fold(char *ret, size_t size, const char *name)
{
	static const char base[] =
		"AAAAAAACEEEEIIIIDNOOOOO*OUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";
	size_t n = 0;

	while (*name && n + 1 < size) {
		unsigned char c = (unsigned char)*name++;

		if (c == 0xc3 && ((unsigned char)*name & 0xc0) == 0x80)
			c = (unsigned char)base[(unsigned char)*name++ & 0x3f];
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return !*name;
}

static bool strip_suffix(char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	if (n <= m || strcasecmp(name + n - m, suffix) != 0)
		return false;
	name[n - m] = '\0';
	return true;
}

static bool polly_find(struct speech_name *ret, char *name)
{
	if (!strip_suffix(name, "-Neural") && !strip_suffix(name, "-Generative"))
		strip_suffix(name, "-Long-Form");
	for (size_t i = 0; i < POLLY; i++) {
		if (strcasecmp(polly[i].name, name) != 0)
			continue;
		*ret = (struct speech_name){ .female = polly[i].female };
		snprintf(ret->language, sizeof(ret->language), "%s", polly[i].language);
		return true;
	}
	return false;
}

static bool is_in(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcasecmp(names[i], name))
			return true;
	return false;
}
#define IS_IN(names, name) is_in(names, sizeof(names) / sizeof((names)[0]), name)

/* en-US-Neural2-C, cmn-CN-Standard-A, en-US-Chirp3-HD-Aoede: language, model, letter or name. */
static bool google_find(struct speech_name *ret, char *name)
{
	char *dash = strchr(name, '-'), *model, *last;
	bool female;

	model = dash ? strchr(dash + 1, '-') : NULL;
	last = strrchr(name, '-');
	if (!model || last == model)
		return false;
	*model++ = '\0';
	model[strcspn(model, "-")] = '\0';
	last++;
	if (!IS_IN(google_models, model) || !speech_language_known(name) ||
	    strlen(name) >= sizeof(ret->language))
		return false;
	if (IS_IN(google_women, last) || (last[0] && !last[1] && strchr("ACEFGHKL", last[0])))
		female = true; /* of the letters the services' lists differ by language; so most are
				*/
	else if (IS_IN(google_men, last) || (last[0] && !last[1] && strchr("BDIJMNOPQ", last[0])))
		female = false;
	else
		return false;
	*ret = (struct speech_name){ .female = female };
	memcpy(ret->language, name, strlen(name) + 1);
	return true;
}

bool speech_name_find(struct speech_name *ret, const char *voice)
{
	char name[64];

	if (!fold(name, sizeof(name), voice))
		return false;
	if (!strncasecmp(name, "Polly.", 6))
		return polly_find(ret, name + 6);
	if (!strncasecmp(name, "Google.", 7))
		return google_find(ret, name + 7);
	for (size_t i = 0; i < PLAIN; i++) {
		if (strcasecmp(plain[i].name, name) != 0)
			continue;
		*ret = (struct speech_name){ .female = plain[i].female,
					     .engine = plain[i].engine,
					     .engine_voice = plain[i].engine_voice };
		snprintf(ret->language, sizeof(ret->language), "%s", plain[i].language);
		return true;
	}
	return false;
}

const char *speech_name_at(size_t i)
{
	static _Thread_local char name[64];

	if (i < PLAIN)
		return plain[i].name;
	if (i - PLAIN >= POLLY)
		return NULL;
	snprintf(name, sizeof(name), "Polly.%s", polly[i - PLAIN].name);
	return name;
}

const char *speech_language_at(size_t i)
{
	return i < LANGUAGES ? languages[i] : NULL;
}

bool speech_language_known(const char *language)
{
	return IS_IN(languages, language);
}

const char *speech_language_alias(const char *language, bool *near)
{
	*near = false;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcasecmp(aliases[i].language, language)) {
			*near = aliases[i].near;
			return aliases[i].tag;
		}
	return language;
}

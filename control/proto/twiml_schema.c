#include "proto/twiml_schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_INT	 1000000

#define INT(n, lo, hi, d, w)	    { n, TWIML_INT, NULL, lo, hi, d, w }
#define INT_OR(n, ws, lo, hi, d, w) { n, TWIML_INT, ws, lo, hi, d, w }
#define BOOL(n, d, w)		    { n, TWIML_BOOL, NULL, 0, 0, d, w }
#define ENUM(n, ws, d, w)	    { n, TWIML_ENUM, ws, 0, 0, d, w }
#define METHOD(n, w)		    { n, TWIML_METHOD, NULL, 0, 0, "POST", w }
#define WORDS(n, ws, d, w)	    { n, TWIML_WORDS, ws, 0, 0, d, w }
#define CHARS(n, cs, hi, d, w)	    { n, TWIML_CHARS, cs, 0, hi, d, w }
#define ANY(n, d)		    { n, TWIML_ANY, NULL, 0, 0, d, 12200 }

#define RECORDING_EVENTS "in-progress|completed|absent"
#define CALL_EVENTS	 "initiated|ringing|answered|completed"
#define SEND_DIGITS	 "0123456789ABCDabcd*#wW"

static const struct twiml_attr_rule response[] = { ANY("version", NULL) };
static const struct twiml_attr_rule say[] = {
	ANY("voice", NULL),
	ANY("language", NULL),
	INT("loop", 0, MAX_INT, "1", 13510),
};
static const struct twiml_attr_rule play[] = {
	INT("loop", 0, MAX_INT, "1", 13410),
	CHARS("digits", SEND_DIGITS, 256, NULL, 13430),
};
static const struct twiml_attr_rule pause_[] = { INT("length", 1, MAX_INT, "1", 13910) };
static const struct twiml_attr_rule gather[] = {
	ANY("action", NULL),
	METHOD("method", 13312),
	WORDS("input", "dtmf|speech", "dtmf", 13326),
	INT("numDigits", 1, MAX_INT, NULL, 13314),
	INT("timeout", 1, MAX_INT, "5", 13313),
	CHARS("finishOnKey", "0123456789#*", 1, "#", 13310),
	BOOL("actionOnEmptyResult", "false", 13338),
	INT_OR("speechTimeout", "auto", 1, MAX_INT, NULL, 13327),
	ENUM("speechModel",
	     "default|numbers_and_commands|phone_call|experimental_conversations|experimental_"
	     "utterances|googlev2_long|googlev2_short|"
	     "googlev2_telephony|googlev2_telephony_short|deepgram_nova-2|deepgram_nova-3",
	     "default", 13334),
	ANY("language", "en-US"),
	ANY("hints", NULL),
	BOOL("profanityFilter", "true", 13333),
	BOOL("enhanced", "false", 12200),
	BOOL("bargeIn", "true", 13332),
	ANY("partialResultCallback", NULL),
	METHOD("partialResultCallbackMethod", 13329),
	INT("maxSpeechTime", 1, MAX_INT, NULL, 13328),
	BOOL("debug", "false", 12200),
};
static const struct twiml_attr_rule record[] = {
	ANY("action", NULL),
	METHOD("method", 13610),
	INT("timeout", 0, MAX_INT, "5", 13611),
	CHARS("finishOnKey", "0123456789#*", 12, "1234567890*#", 13613),
	INT("maxLength", 2, 86400, "3600", 13612),
	BOOL("playBeep", "true", 13616),
	ENUM("trim", "trim-silence|do-not-trim", "trim-silence", 13699),
	ANY("recordingStatusCallback", NULL),
	METHOD("recordingStatusCallbackMethod", 12200),
	WORDS("recordingStatusCallbackEvent", RECORDING_EVENTS, "completed", 13621),
	BOOL("transcribe", "false", 13614),
	ANY("transcribeCallback", NULL),
	ANY("recordingConfigurationId", NULL),
};
static const struct twiml_attr_rule dial[] = {
	ANY("action", NULL),
	METHOD("method", 13210),
	INT("timeout", 5, 600, "30", 13212),
	BOOL("hangupOnStar", "false", 13213),
	INT("timeLimit", 1, 86400, "14400", 13216),
	ANY("callerId", NULL),
	BOOL("answerOnBridge", "false", 13219),
	ENUM("record",
	     "do-not-record|record-from-answer|record-from-ringing|record-from-answer-dual|record-"
	     "from-ringing-dual|true|false",
	     "do-not-record", 13217),
	ENUM("recordingTrack", "inbound|outbound|both", "both", 13622),
	ENUM("trim", "trim-silence|do-not-trim", "do-not-trim", 13699),
	ANY("recordingStatusCallback", NULL),
	METHOD("recordingStatusCallbackMethod", 12200),
	WORDS("recordingStatusCallbackEvent", RECORDING_EVENTS, "completed", 13621),
	BOOL("sequential", "false", 13218),
	ANY("referUrl", NULL),
	METHOD("referMethod", 12200),
	ENUM("ringTone",
	     "at|au|bg|br|be|ch|cl|cn|cz|de|dk|ee|es|fi|fr|gr|hu|il|in|it|lt|jp|mx|my|nl|no|nz|ph|"
	     "pl|pt|ru|se|sg|th|uk|us|us-old|tw|ve|za",
	     NULL, 13220),
	ANY("callReason", NULL),
	ANY("events", NULL),
	ANY("recordingConfigurationId", NULL),
};

#define CALL_NOUN(method_warning)                                                                  \
	ANY("url", NULL), METHOD("method", method_warning), ANY("statusCallback", NULL),           \
		METHOD("statusCallbackMethod", 12200),                                             \
		WORDS("statusCallbackEvent", CALL_EVENTS, "completed", 12200),                     \
		ENUM("machineDetection", "Enable|DetectMessageEnd", NULL, 12200),                  \
		INT("machineDetectionTimeout", 3, 60, "30", 12200),                                \
		INT("machineDetectionSpeechThreshold", 1000, 6000, "2400", 12200),                 \
		INT("machineDetectionSpeechEndThreshold", 500, 5000, "1200", 12200),               \
		INT("machineDetectionSilenceTimeout", 2000, 10000, "5000", 12200),                 \
		ANY("amdStatusCallback", NULL), METHOD("amdStatusCallbackMethod", 12200)

static const struct twiml_attr_rule number[] = { CALL_NOUN(13221),
						 CHARS("sendDigits", SEND_DIGITS, 256, NULL, 13222),
						 ANY("byoc", NULL) };
static const struct twiml_attr_rule sip[] = { CALL_NOUN(13241),
					      CHARS("sendDigits", SEND_DIGITS, 256, NULL, 13242),
					      ANY("username", NULL), ANY("password", NULL) };
static const struct twiml_attr_rule client[] = { CALL_NOUN(12200),
						 ANY("clientNotificationUrl", NULL) };
static const struct twiml_attr_rule conference[] = {
	BOOL("muted", "false", 13230),
	ENUM("beep", "true|false|onEnter|onExit", "true", 13235),
	BOOL("startConferenceOnEnter", "true", 13232),
	BOOL("endConferenceOnExit", "false", 13231),
	ANY("participantLabel", NULL),
	ENUM("jitterBufferSize", "small|medium|large|off", "large", 12200),
	ANY("waitUrl", NULL),
	METHOD("waitMethod", 13234),
	INT("maxParticipants", 2, 250, "250", 12200),
	ENUM("record", "do-not-record|record-from-start|true|false", "do-not-record", 12200),
	ENUM("trim", "trim-silence|do-not-trim", "trim-silence", 13239),
	ANY("region", NULL),
	ANY("coach", NULL),
	ANY("statusCallback", NULL),
	METHOD("statusCallbackMethod", 12200),
	WORDS("statusCallbackEvent", "start|end|join|leave|mute|hold|modify|speaker|announcement",
	      NULL, 12200),
	ANY("recordingStatusCallback", NULL),
	METHOD("recordingStatusCallbackMethod", 12200),
	WORDS("recordingStatusCallbackEvent", RECORDING_EVENTS, "completed", 13621),
	ANY("eventCallbackUrl", NULL),
};
static const struct twiml_attr_rule queue[] = { ANY("url", NULL), METHOD("method", 14210),
						ANY("reservationSid", NULL),
						ANY("postWorkActivitySid", NULL) };
static const struct twiml_attr_rule application[] = {
	ANY("url", NULL),
	METHOD("method", 12200),
	ANY("statusCallback", NULL),
	METHOD("statusCallbackMethod", 12200),
	ANY("customerId", NULL),
	BOOL("copyParentTo", "false", 12200),
	WORDS("statusCallbackEvent", CALL_EVENTS, "completed", 12200),
};
static const struct twiml_attr_rule enqueue[] = {
	ANY("action", NULL),	  METHOD("method", 14201),
	ANY("waitUrl", NULL),	  METHOD("waitUrlMethod", 14206),
	ANY("workflowSid", NULL), INT("maxQueueSize", 1, 5000, NULL, 12200)
};
static const struct twiml_attr_rule redirect[] = { METHOD("method", 13710) };
static const struct twiml_attr_rule reject[] = { ENUM("reason", "rejected|busy", "rejected",
						      13810) };
static const struct twiml_attr_rule action_method[] = { ANY("action", NULL),
							METHOD("method", 12200) };
static const struct twiml_attr_rule stream[] = {
	ANY("url", NULL),
	ANY("name", NULL),
	ANY("connectorName", NULL),
	ANY("statusCallback", NULL),
	METHOD("statusCallbackMethod", 12200),
	ENUM("track", "inbound_track|outbound_track|both_tracks", "inbound_track", 12200),
};
static const struct twiml_attr_rule recording[] = {
	ANY("name", NULL),
	ANY("recordingStatusCallback", NULL),
	METHOD("recordingStatusCallbackMethod", 12200),
	WORDS("recordingStatusCallbackEvent", RECORDING_EVENTS, "completed", 13621),
	ENUM("trim", "trim-silence|do-not-trim", "trim-silence", 13699),
	ENUM("track", "inbound|outbound|both", "both", 13622),
	ENUM("channels", "mono|dual", "dual", 12200),
	ANY("recordingConfigurationId", NULL),
};
static const struct twiml_attr_rule transcription[] = {
	ANY("name", NULL),
	ANY("statusCallbackUrl", NULL),
	METHOD("statusCallbackMethod", 12200),
	ANY("languageCode", "en-US"),
	ENUM("track", "inbound_track|outbound_track|both_tracks", "both_tracks", 12200),
	ANY("inboundTrackLabel", NULL),
	ANY("outboundTrackLabel", NULL),
	ANY("transcriptionEngine", "google"),
	ANY("speechModel", "telephony"),
	BOOL("profanityFilter", "true", 12200),
	BOOL("partialResults", "false", 12200),
	ANY("hints", NULL),
	BOOL("enableAutomaticPunctuation", "true", 12200),
	ANY("intelligenceService", NULL),
};
static const struct twiml_attr_rule name_value[] = { ANY("name", NULL), ANY("value", NULL) };
static const struct twiml_attr_rule sip_uri[] = { INT("priority", 0, 65535, NULL, 12200),
						  INT("weight", 0, 65535, NULL, 12200),
						  ANY("username", NULL), ANY("password", NULL) };
static const struct twiml_attr_rule task[] = { INT("priority", 0, MAX_INT, NULL, 12200),
					       INT("timeout", 0, MAX_INT, NULL, 12200) };
static const struct twiml_attr_rule prompt[] = { ANY("for", NULL), ANY("errorType", NULL),
						 ANY("cardType", NULL), ANY("attempt", NULL) };
static const struct twiml_attr_rule pay[] = {
	ANY("action", NULL),
	METHOD("method", 12200),
	ANY("input", "dtmf"),
	ANY("bankAccountType", NULL),
	ANY("statusCallback", NULL),
	METHOD("statusCallbackMethod", 12200),
	ANY("timeout", NULL),
	ANY("maxAttempts", NULL),
	ANY("securityCode", NULL),
	ANY("postalCode", NULL),
	ANY("minPostalCodeLength", NULL),
	ANY("paymentConnector", NULL),
	ANY("paymentMethod", NULL),
	ANY("tokenType", NULL),
	ANY("chargeAmount", NULL),
	ANY("currency", NULL),
	ANY("description", NULL),
	ANY("validCardTypes", NULL),
	ANY("language", NULL),
};
static const struct twiml_attr_rule ssml_break[] = {
	ENUM("strength", "none|x-weak|weak|medium|strong|x-strong", NULL, 12200), ANY("time", NULL)
};
static const struct twiml_attr_rule ssml_emphasis[] = { ENUM("level", "strong|moderate|reduced",
							     NULL, 12200) };
static const struct twiml_attr_rule ssml_lang[] = { ANY("xml:lang", NULL) };
static const struct twiml_attr_rule ssml_phoneme[] = { ANY("alphabet", NULL), ANY("ph", NULL) };
static const struct twiml_attr_rule ssml_prosody[] = { ANY("volume", NULL), ANY("rate", NULL),
						       ANY("pitch", NULL) };
static const struct twiml_attr_rule ssml_say_as[] = { ANY("interpret-as", NULL), ANY("role", NULL),
						      ANY("format", NULL) };
static const struct twiml_attr_rule ssml_sub[] = { ANY("alias", NULL) };
static const struct twiml_attr_rule ssml_w[] = { ANY("role", NULL) };

#define SSML "break|emphasis|lang|p|phoneme|prosody|s|say-as|sub|w"
#define CONNECTED                                                                                  \
	"Stream|Room|VirtualAgent|Conversation|ConversationRelay|ConversationRelaySession|"        \
	"AiSession|Assistant|Autopilot"

#define ATTRS(a) a, COUNT(a)
#define NONE	 NULL, 0

static const struct twiml_element_rule table[] = {
	{ "Response",
	  "Connect|Dial|Echo|Enqueue|Gather|Hangup|Leave|Pause|Pay|Play|Prompt|Queue|Record|"
	  "Redirect|Refer|Reject|Say|Sms|Start|Stop",
	  false, 0, ATTRS(response) },
	{ "Say", SSML, true, 0, ATTRS(say) },
	{ "Play", "", true, 0, ATTRS(play) },
	{ "Pause", "", false, 0, ATTRS(pause_) },
	{ "Gather", "Say|Play|Pause", false, 13320, ATTRS(gather) },
	{ "Record", "", false, 0, ATTRS(record) },
	{ "Dial", "Number|Sip|Client|Conference|Queue|Application|Sim|WhatsApp", true, 13215,
	  ATTRS(dial) },
	{ "Number", "", true, 0, ATTRS(number) },
	{ "Sip", "Uri|Headers", true, 0, ATTRS(sip) },
	{ "Uri", "", true, 0, ATTRS(sip_uri) },
	{ "Headers", "Header", false, 0, NONE },
	{ "Header", "", false, 0, ATTRS(name_value) },
	{ "Client", "Identity|Parameter", true, 0, ATTRS(client) },
	{ "Identity", "", true, 0, NONE },
	{ "Parameter", "", false, 0, ATTRS(name_value) },
	{ "Conference", "", true, 0, ATTRS(conference) },
	{ "Queue", "", true, 0, ATTRS(queue) },
	{ "Application", "ApplicationSid|Parameter", true, 0, ATTRS(application) },
	{ "ApplicationSid", "", true, 0, NONE },
	{ "Sim", "", true, 0, NONE },
	{ "WhatsApp", "", true, 0, NONE },
	{ "Enqueue", "Task", true, 0, ATTRS(enqueue) },
	{ "Task", "", true, 0, ATTRS(task) },
	{ "Leave", "", false, 0, NONE },
	{ "Redirect", "", true, 0, ATTRS(redirect) },
	{ "Reject", "Parameter", false, 0, ATTRS(reject) },
	{ "Hangup", "Parameter", false, 0, NONE },
	{ "Refer", "Sip", false, 0, ATTRS(action_method) },
	{ "Connect", CONNECTED, false, 0, ATTRS(action_method) },
	{ "Start", "Stream|Siprec|Transcription|Recording", false, 14300, ATTRS(action_method) },
	{ "Stop", "Stream|Siprec|Transcription|Recording", false, 0, NONE },
	{ "Stream", "Parameter", false, 0, ATTRS(stream) },
	{ "Siprec", "Parameter", false, 0, ATTRS(stream) },
	{ "Recording", "", false, 0, ATTRS(recording) },
	{ "Transcription", "Parameter|Config", false, 0, ATTRS(transcription) },
	{ "Config", "", false, 0, ATTRS(name_value) },
	{ "Pay", "Prompt|Parameter", false, 0, ATTRS(pay) },
	{ "Prompt", "Say|Play|Pause", false, 0, ATTRS(prompt) },
	{ "Echo", "", false, 0, NONE },
	{ "Sms", "", true, 0, NONE },
	{ "break", "", false, 0, ATTRS(ssml_break) },
	{ "emphasis", SSML, true, 0, ATTRS(ssml_emphasis) },
	{ "lang", SSML, true, 0, ATTRS(ssml_lang) },
	{ "p", SSML, true, 0, NONE },
	{ "s", SSML, true, 0, NONE },
	{ "phoneme", "", true, 0, ATTRS(ssml_phoneme) },
	{ "prosody", SSML, true, 0, ATTRS(ssml_prosody) },
	{ "say-as", "", true, 0, ATTRS(ssml_say_as) },
	{ "sub", "", true, 0, ATTRS(ssml_sub) },
	{ "w", "", true, 0, ATTRS(ssml_w) },
	{ "Room", "", true, 0, NONE },
	{ "VirtualAgent", "Parameter|Config", false, 0, NONE },
	{ "Conversation", "", false, 0, NONE },
	{ "ConversationRelay", "Parameter|Config", false, 0, NONE },
	{ "ConversationRelaySession", "", false, 0, NONE },
	{ "AiSession", "", false, 0, NONE },
	{ "Assistant", "", false, 0, NONE },
	{ "Autopilot", "", true, 0, NONE },
};

const struct twiml_element_rule *twiml_element_at(size_t index)
{
	return index < COUNT(table) ? &table[index] : NULL;
}

const struct twiml_element_rule *twiml_element_rule(const char *name)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

const struct twiml_attr_rule *twiml_attr_rule(const struct twiml_element_rule *element,
					      const char *name)
{
	for (size_t i = 0; element && i < element->n_attrs; i++)
		if (!strcmp(element->attrs[i].name, name))
			return &element->attrs[i];
	return NULL;
}

bool twiml_words_have(const char *words, const char *word, size_t len)
{
	for (const char *p = words; p && *p; p = strchr(p, '|')) {
		p += *p == '|';
		if (strcspn(p, "|") == len && !strncmp(p, word, len))
			return true;
	}
	return false;
}

bool twiml_child_allowed(const struct twiml_element_rule *parent, const char *name)
{
	return twiml_words_have(parent->children, name, strlen(name));
}

static bool int_ok(const struct twiml_attr_rule *rule, const char *value)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	return isdigit((unsigned char)*value) && !*end && !errno && n >= rule->min &&
	       n <= rule->max;
}

static bool words_ok(const struct twiml_attr_rule *rule, const char *value)
{
	bool any = false;

	for (value += strspn(value, " "); *value; value += strspn(value, " ")) {
		size_t n = strcspn(value, " ");

		if (!twiml_words_have(rule->words, value, n))
			return false;
		any = true;
		value += n;
	}
	return any;
}

bool twiml_attr_ok(const struct twiml_attr_rule *rule, const char *value)
{
	switch (rule->type) {
	case TWIML_INT:
		return int_ok(rule, value) || twiml_words_have(rule->words, value, strlen(value));
	case TWIML_BOOL:
		return !strcmp(value, "true") || !strcmp(value, "false");
	case TWIML_ENUM:
		return twiml_words_have(rule->words, value, strlen(value));
	case TWIML_METHOD:
		return !strcasecmp(value, "GET") || !strcasecmp(value, "POST");
	case TWIML_WORDS:
		return words_ok(rule, value);
	case TWIML_CHARS:
		return strlen(value) <= (size_t)rule->max &&
		       strspn(value, rule->words) == strlen(value);
	case TWIML_ANY:
		return true;
	}
	return false;
}

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sndfile.h>

#include "media/pcm.h"
#include "media/prompt.h"

#define CHANNELS_MAX 8
#define CHUNK_FRAMES 1024

enum format { FORMAT_MPEG, FORMAT_WAV, FORMAT_AIFF, FORMAT_GSM, FORMAT_ULAW };

/* twiml-and-webhooks.md §2.2 */
static const struct {
	const char *type;
	enum format format;
} content_types[] = {
	{ "audio/mpeg", FORMAT_MPEG },	 { "audio/mp3", FORMAT_MPEG },
	{ "audio/wav", FORMAT_WAV },	 { "audio/wave", FORMAT_WAV },
	{ "audio/x-wav", FORMAT_WAV },	 { "audio/aiff", FORMAT_AIFF },
	{ "audio/x-aifc", FORMAT_AIFF }, { "audio/x-aiff", FORMAT_AIFF },
	{ "audio/x-gsm", FORMAT_GSM },	 { "audio/gsm", FORMAT_GSM },
	{ "audio/ulaw", FORMAT_ULAW },	 { "audio/basic", FORMAT_ULAW },
};

struct memory_file {
	const uint8_t *data;
	sf_count_t len, pos;
};

static sf_count_t file_len(void *arg)
{
	return ((struct memory_file *)arg)->len;
}

static sf_count_t file_seek(sf_count_t offset, int whence, void *arg)
{
	struct memory_file *f = arg;
	sf_count_t base = whence == SEEK_CUR ? f->pos : whence == SEEK_END ? f->len : 0;

	/* A hostile chunk length may point anywhere: stay inside. */
	if (offset < -base)
		f->pos = 0;
	else if (offset > f->len - base)
		f->pos = f->len;
	else
		f->pos = base + offset;
	return f->pos;
}

static sf_count_t file_read(void *ptr, sf_count_t count, void *arg)
{
	struct memory_file *f = arg;

	if (count > f->len - f->pos)
		count = f->len - f->pos;
	if (count <= 0)
		return 0;
	memcpy(ptr, f->data + f->pos, (size_t)count);
	f->pos += count;
	return count;
}

static sf_count_t file_write(const void *ptr, sf_count_t count, void *arg)
{
	(void)ptr, (void)count, (void)arg;
	return 0;
}

static sf_count_t file_tell(void *arg)
{
	return ((struct memory_file *)arg)->pos;
}

static SF_VIRTUAL_IO memory_io = {
	.get_filelen = file_len,
	.seek = file_seek,
	.read = file_read,
	.write = file_write,
	.tell = file_tell,
};

static int format_find(const char *content_type)
{
	size_t len = strcspn(content_type, "; \t");

	for (size_t i = 0; i < sizeof(content_types) / sizeof(content_types[0]); i++)
		if (strlen(content_types[i].type) == len &&
		    !strncasecmp(content_types[i].type, content_type, len))
			return content_types[i].format;
	return -EPROTONOSUPPORT;
}

/* The content must be what its type says, or a decoder that nobody asked for would see hostile
 * bytes. */
static int format_matches(enum format format, int sf_format)
{
	switch (sf_format & SF_FORMAT_TYPEMASK) {
	case SF_FORMAT_WAV:
	case SF_FORMAT_WAVEX:
	case SF_FORMAT_RF64:
		return format == FORMAT_WAV;
	case SF_FORMAT_AIFF:
		return format == FORMAT_AIFF;
	case SF_FORMAT_MPEG:
		return format == FORMAT_MPEG;
	case SF_FORMAT_AU:
		return format == FORMAT_ULAW;
	case SF_FORMAT_RAW:
		return format == FORMAT_GSM;
	default:
		return 0;
	}
}

static int16_t to_int16(float v)
{
	v *= 32768.0f;
	if (v >= 32767.0f)
		return 32767;
	if (v > -32768.0f)
		return (int16_t)lrintf(v);
	return isnan(v) ? 0 : -32768; /* a float file can hold anything */
}

static int decode_frames(struct pcm *pcm, SNDFILE *file, const SF_INFO *info)
{
	float in[CHUNK_FRAMES * CHANNELS_MAX];
	int16_t mono[CHUNK_FRAMES];
	sf_count_t frames;
	int r;

	r = pcm_set_rate(pcm, (unsigned)info->samplerate);
	while (!r && (frames = sf_readf_float(file, in, CHUNK_FRAMES)) > 0) {
		for (sf_count_t i = 0; i < frames; i++) {
			float sum = 0;

			for (int c = 0; c < info->channels; c++)
				sum += in[i * info->channels + c];
			mono[i] = to_int16(sum / (float)info->channels);
		}
		r = pcm_write(pcm, mono, (size_t)frames);
	}
	return r < 0 ? r : pcm_flush(pcm);
}

static int decode_file(struct prompt **ret, enum format format, struct memory_file *memory,
		       size_t max_samples)
{
	SF_INFO info = { 0 };
	SNDFILE *file = NULL;
	struct prompt *p;
	struct pcm pcm;
	int r = -EINVAL;

	pcm_init(&pcm, max_samples);
	if (format == FORMAT_GSM) { /* bare 33-byte frames: nothing in the file says so */
		info.format = SF_FORMAT_RAW | SF_FORMAT_GSM610;
		info.samplerate = PCM_RATE;
		info.channels = 1;
	}
	file = sf_open_virtual(&memory_io, SFM_READ, &info, memory);
	if (!file || !format_matches(format, info.format))
		goto out;
	if (info.channels < 1 || info.channels > CHANNELS_MAX || info.samplerate < PCM_RATE_MIN ||
	    info.samplerate > PCM_RATE_MAX)
		goto out;
	r = decode_frames(&pcm, file, &info);
	if (r < 0)
		goto out;
	r = -EINVAL;
	if (!pcm.len)
		goto out;
	r = -ENOMEM;
	p = prompt_new(pcm.samples, pcm.len);
	if (!p)
		goto out;
	*ret = p;
	r = 0;
out:
	if (file)
		sf_close(file);
	pcm_done(&pcm);
	return r;
}

int prompt_decode(struct prompt **ret, const void *data, size_t len_bytes, const char *content_type,
		  const struct prompt_limits *limits)
{
	struct memory_file memory = { .data = data, .len = (sf_count_t)len_bytes };
	size_t max_samples = (size_t)limits->max_seconds * PCM_RATE;
	int format = format_find(content_type);
	struct prompt *p;

	if (format < 0)
		return format;
	if (len_bytes > limits->max_bytes)
		return -EFBIG;
	if (!len_bytes)
		return -EINVAL;
	if (format == FORMAT_ULAW && (len_bytes < 4 || memcmp(data, ".snd", 4))) {
		if (len_bytes > max_samples)
			return -EFBIG;
		p = prompt_new_ulaw(data, len_bytes);
		if (!p)
			return -ENOMEM;
		*ret = p;
		return 0;
	}
	return decode_file(ret, (enum format)format, &memory, max_samples);
}

'use strict';
/* Client certificates of a domain (docs/tls.md). Ours: the SDK has no names for them. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { client, makeDomain, raw } = require('./client');

const form = (values) => new URLSearchParams(values).toString();
const post = (at, values) => raw('POST', `${at}.json`, { body: form(values) });
const digits = 'ab'.repeat(32), written = Array(32).fill('AB').join(':');

async function made(t) {
	const domain = await makeDomain(t);

	return { domain, path: `/SIP/Domains/${domain.sid}/Auth/Calls/ClientCertificates` };
}

describe('client certificates', () => {
	test('are made, listed, named anew and deleted, and guard their domain', async (t) => {
		const { domain, path } = await made(t), answer = await post(path, { Fingerprint: written, FriendlyName: 'PBX' });
		assert.equal(answer.status, 201, answer.text);
		const row = answer.json, at = `${path}/${row.sid}`;

		assert.match(row.sid, /^CC[0-9a-f]{32}$/);
		assert.deepEqual([row.fingerprint, row.friendly_name, row.domain_sid], [digits, 'PBX', domain.sid]);
		assert.deepEqual((await raw('GET', `${path}.json`)).json.client_certificates, [row]);
		assert.deepEqual((await raw('GET', `${at}.json`)).json, row);
		assert.equal((await client.sip.domains(domain.sid).fetch()).authType, 'CLIENT_CERTIFICATE');
		assert.equal((await post(at, { FriendlyName: 'other' })).json.friendly_name, 'other');
		const again = await post(path, { Fingerprint: digits });
		assert.deepEqual([again.status, again.json.code], [409, 20409]);
		assert.equal((await raw('DELETE', `${at}.json`)).status, 204);
		assert.equal((await raw('GET', `${at}.json`)).status, 404);
		assert.equal((await client.sip.domains(domain.sid).fetch()).authType, '');
	});

	for (const [what, values] of [['no fingerprint', {}], ['one too short', { Fingerprint: digits.slice(2) }], ['one too long', { Fingerprint: `${digits}ab` }],
		['colons alone', { Fingerprint: ':'.repeat(64) }], ['what is not hex', { Fingerprint: 'g'.repeat(64) }]])
		test(`refuse ${what}`, async (t) => {
			const { path } = await made(t), answer = await post(path, values);

			assert.deepEqual([answer.status, answer.json.code], [400, 20422], answer.text);
		});
});

describe('SRTP of a domain', () => {
	test('is optional, refused, or as the installation says', async (t) => {
		const { domain } = await made(t), at = `/SIP/Domains/${domain.sid}`;

		for (const [said, kept] of [['true', true], ['false', false], ['', null]])
			assert.equal((await post(at, { SrtpOptional: said })).json.srtp_optional, kept);
		assert.equal((await post(at, { SrtpOptional: 'maybe' })).json.code, 21231);
	});
});

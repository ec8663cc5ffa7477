'use strict';
/* On a stack whose API has a certificate, of an authority that NODE_EXTRA_CA_CERTS names: tests/run makes it for this file alone. */
const assert = require('node:assert/strict');
const net = require('node:net');
const tls = require('node:tls');
const { describe, test } = require('./record');
const { API, client, made, makeDomain, raw, unique } = require('./client');

const { hostname: host, port } = new URL(API);

/* The protocol that a handshake with these options ends in, or the code of what it fails with. */
function handshake(options) {
	return new Promise((resolve) => {
		const socket = tls.connect({ host, port, ...options }, () => {
			resolve(socket.getProtocol());
			socket.destroy();
		});
		socket.on('error', (e) => resolve(e.code));
	});
}

describe('the API over HTTPS', () => {
	test('is served to the SDK, which verifies the certificate', async (t) => {
		assert.match(API, /^https:/);
		const domain = await makeDomain(t, { friendlyName: 'over TLS' });
		assert.equal((await client.sip.domains(domain.sid).fetch()).friendlyName, 'over TLS');
		const lists = await Promise.all(Array.from({ length: 50 }, () => client.sip.domains.list()));
		assert.ok(lists.every((l) => l.some((d) => d.sid === domain.sid)));
	});

	test('carries a body as large as REST takes, and a page of 1000 rows', async (t) => {
		const list = await made(t, client.sip.ipAccessControlLists, { friendlyName: unique() });
		assert.equal((await raw('POST', `/SIP/IpAccessControlLists/${list.sid}.json`, { body: `FriendlyName=x&More=${'a'.repeat(200000)}` })).status, 200);
		assert.equal((await raw('GET', '/AuditEvents.json?PageSize=1000')).status, 200);
	});

	test('shows a certificate that others than its authority did not sign', async () => {
		assert.equal(await handshake({ ca: tls.rootCertificates[0] }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
	});

	test('speaks TLS 1.2 and 1.3 and nothing older', async () => {
		const at = (version) => handshake({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });

		assert.deepEqual([await at('TLSv1.3'), await at('TLSv1.2')], ['TLSv1.3', 'TLSv1.2']);
		for (const old of ['TLSv1', 'TLSv1.1'])
			assert.match(await at(old), /^ERR_SSL|ECONNRESET/);
	});

	test('says nothing to plain HTTP', async () => {
		const heard = await new Promise((resolve) => {
			let text = '';
			const socket = net.connect({ host, port }, () => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'));
			socket.on('data', (data) => { text += data.toString('latin1'); });
			socket.on('error', () => resolve(text));
			socket.on('close', () => resolve(text));
		});
		assert.ok(!heard.includes('HTTP/'), heard);
	});
});

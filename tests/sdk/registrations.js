'use strict';
/* Registered phones (docs/registration.md): what REST shows of them, and takes away. */
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const dgram = require('node:dgram');
const { describe, test } = require('./record');
const { PASSWORD, client, makeCredentialList, makeDomain, raw, until } = require('./client');

const md5 = (text) => crypto.createHash('md5').update(text).digest('hex');
const token = () => crypto.randomBytes(8).toString('hex');

/* A phone registers as user at the domain: its Contact. */
async function register(t, domain, user) {
	const socket = dgram.createSocket('udp4'), answers = [], callId = token();

	socket.on('message', (data) => answers.push(data.toString()));
	await new Promise((resolve) => { socket.bind(0, '127.0.0.1', resolve); });
	t.after(() => socket.close());
	const here = `127.0.0.1:${socket.address().port}`, contact = `sip:${user}@${here}`, uri = `sip:${domain}`;
	const send = (cseq, more) => socket.send([`REGISTER ${uri} SIP/2.0`, `Via: SIP/2.0/UDP ${here};rport;branch=z9hG4bK${token()}`, 'Max-Forwards: 70',
		`From: <sip:${user}@${domain}>;tag=${token()}`, `To: <sip:${user}@${domain}>`, `Call-ID: ${callId}`, `CSeq: ${cseq} REGISTER`, `Contact: <${contact}>`,
		'Expires: 600', 'User-Agent: sdk-phone', ...more, 'Content-Length: 0', '', ''].join('\r\n'), Number(process.env.SIP_PORT || 5060), '127.0.0.1');

	send(1, []);
	const challenge = await until(() => answers.find((a) => a.startsWith('SIP/2.0 407 ')), 'a challenge');
	const [realm, nonce] = ['realm', 'nonce'].map((name) => new RegExp(`Proxy-Authenticate:.*${name}="([^"]+)"`, 'i').exec(challenge)[1]);
	const response = md5(`${md5(`${user}:${realm}:${PASSWORD}`)}:${nonce}:00000001:c:auth:${md5(`REGISTER:${uri}`)}`);
	send(2, [`Proxy-Authorization: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, cnonce="c", nc=00000001, qop=auth`]);
	await until(() => answers.find((a) => a.startsWith('SIP/2.0 200 ')), 'the 200');
	return contact;
}

describe('registrations', () => {
	test('of a domain are listed by user, fetched and removed', async (t) => {
		const domain = await makeDomain(t, { sipRegistration: true }), list = await makeCredentialList(t), path = `/SIP/Domains/${domain.sid}/Registrations`;
		const { credentialListMappings } = client.sip.domains(domain.sid).auth.registrations;

		for (const username of ['anna', 'bert'])
			await client.sip.credentialLists(list.sid).credentials.create({ username, password: PASSWORD });
		await credentialListMappings.create({ credentialListSid: list.sid });
		t.after(() => credentialListMappings(list.sid).remove().catch(() => {}));
		assert.deepEqual((await raw('GET', `${path}.json`)).json.registrations, []);
		const contact = await register(t, domain.domainName, 'anna');
		await register(t, domain.domainName, 'bert');
		const all = (await raw('GET', `${path}.json`)).json.registrations, [row, ...others] = (await raw('GET', `${path}.json?Username=anna`)).json.registrations;

		assert.deepEqual(all.map((r) => r.username).sort(), ['anna', 'bert']);
		assert.deepEqual(others, []);
		assert.equal(row.contact_uri, contact);
		assert.equal(row.domain_sid, domain.sid);
		assert.equal(row.user_agent, 'sdk-phone');
		assert.ok(Math.abs(new Date(row.date_expires) - Date.now() - 600000) < 60000);
		assert.deepEqual((await raw('GET', `${path}/${row.sid}.json`)).json, row);
		assert.equal((await raw('DELETE', `${path}/${row.sid}.json`)).status, 204);
		assert.equal((await raw('GET', `${path}/${row.sid}.json`)).status, 404);
		assert.deepEqual((await raw('GET', `${path}.json`)).json.registrations.map((r) => r.username), ['bert']);
	});
});

module.exports = { register };

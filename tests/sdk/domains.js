'use strict';
/* sip-and-rest.md §1.1 */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { ACCOUNT, BASE, client, makeDomain, name, raw, refused, unique } = require('./client');

describe('SIP domains', () => {
	test('a new domain has the defaults that clients expect', async (t) => {
		const domainName = name();
		const d = await makeDomain(t, { domainName });

		assert.match(d.sid, /^SD[0-9a-f]{32}$/);
		assert.equal(d.accountSid, ACCOUNT);
		assert.equal(d.apiVersion, '2010-04-01');
		assert.equal(d.authType, '');
		assert.equal(d.domainName, domainName);
		assert.equal(d.friendlyName, null);
		assert.equal(d.voiceUrl, null);
		assert.equal(d.voiceFallbackUrl, null);
		assert.equal(d.voiceStatusCallbackUrl, null);
		assert.equal(d.voiceMethod, 'POST');
		assert.equal(d.voiceFallbackMethod, 'POST');
		assert.equal(d.voiceStatusCallbackMethod, 'POST');
		assert.equal(d.sipRegistration, false);
		assert.equal(d.secure, false);
		assert.equal(d.emergencyCallingEnabled, false);
		assert.equal(d.emergencyCallerSid, null);
		assert.equal(d.byocTrunkSid, null);
		assert.ok(Math.abs(d.dateCreated - Date.now()) < 60000);
		assert.deepEqual(d.dateUpdated, d.dateCreated);
		assert.equal(d.uri, `/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains/${d.sid}.json`);
		assert.deepEqual(d.subresourceUris, {
			credential_list_mappings: `/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains/${d.sid}/CredentialListMappings.json`,
			ip_access_control_list_mappings: `/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains/${d.sid}/IpAccessControlListMappings.json`,
		});
	});

	test('every parameter of a creation comes back, and by fetch and list too', async (t) => {
		const given = {
			friendlyName: 'Büro "1" & <2>',
			voiceUrl: 'https://example.com/voice?a=1&b=ü#rc=2',
			voiceMethod: 'GET',
			voiceFallbackUrl: 'http://example.com:8080/fallback',
			voiceFallbackMethod: 'GET',
			voiceStatusCallbackUrl: 'http://example.com/status',
			voiceStatusCallbackMethod: 'GET',
			sipRegistration: true,
			secure: true,
			emergencyCallingEnabled: true,
			emergencyCallerSid: `PN${'a'.repeat(32)}`,
			byocTrunkSid: `BY${'b'.repeat(32)}`,
		};
		const d = await makeDomain(t, given);
		const fetched = await client.sip.domains(d.sid).fetch();
		const listed = (await client.sip.domains.list()).find((x) => x.sid === d.sid);

		for (const [key, value] of Object.entries(given))
			for (const shown of [d, fetched, listed])
				assert.equal(shown[key], value, key);
		assert.deepEqual(fetched.toJSON(), listed.toJSON());
	});

	test('a name is stored in lower case', async (t) => {
		const domainName = name();
		const d = await makeDomain(t, { domainName: domainName.toUpperCase() });

		assert.equal(d.domainName, domainName);
	});

	test('an update changes what it names and leaves the rest', async (t) => {
		const d = await makeDomain(t, { voiceUrl: 'http://example.com/a', friendlyName: 'one', secure: true });
		const u = await client.sip.domains(d.sid).update({ voiceUrl: 'http://example.com/b', voiceMethod: 'GET' });

		assert.equal(u.voiceUrl, 'http://example.com/b');
		assert.equal(u.voiceMethod, 'GET');
		assert.equal(u.friendlyName, 'one');
		assert.equal(u.secure, true);
		assert.equal(u.domainName, d.domainName);
		assert.deepEqual(u.dateCreated, d.dateCreated);
	});

	test('an empty value clears a URL and takes a method back to POST', async (t) => {
		const d = await makeDomain(t, { voiceUrl: 'http://example.com/a', voiceMethod: 'GET', friendlyName: 'one' });
		const u = await client.sip.domains(d.sid).update({ voiceUrl: '', voiceMethod: '', friendlyName: '' });

		assert.equal(u.voiceUrl, null);
		assert.equal(u.voiceMethod, 'POST');
		assert.equal(u.friendlyName, null);
	});

	test('a domain can be renamed', async (t) => {
		const d = await makeDomain(t);
		const domainName = name();

		assert.equal((await client.sip.domains(d.sid).update({ domainName })).domainName, domainName);
	});

	test('a deleted domain is gone, and its name is free', async (t) => {
		const d = await makeDomain(t);

		assert.equal(await client.sip.domains(d.sid).remove(), true);
		await refused(client.sip.domains(d.sid).fetch(), 20404, 404, /^The requested resource .*SD.*\.json was not found$/);
		await refused(client.sip.domains(d.sid).remove(), 20404, 404);
		await refused(client.sip.domains(d.sid).update({ friendlyName: 'x' }), 20404, 404);
		await makeDomain(t, { domainName: d.domainName });
	});

	test('a taken name is refused with 21232 and is named', async (t) => {
		const d = await makeDomain(t), other = await makeDomain(t);

		await refused(client.sip.domains.create({ domainName: d.domainName }), 21232, 400, new RegExp(`^Domain ${d.domainName} already exists\\.$`));
		await refused(client.sip.domains.create({ domainName: d.domainName.toUpperCase() }), 21232);
		await refused(client.sip.domains(other.sid).update({ domainName: d.domainName }), 21232);
	});

	test('names elsewhere or with other characters are refused with 21231', async () => {
		for (const bad of ['a.sip.twilio.com', BASE, `.${BASE}`, `a_b.${BASE}`, `a b.${BASE}`, `-a.${BASE}`, `a-.${BASE}`, `ä.${BASE}`,
			`${'a'.repeat(64)}.${BASE}`, `x${BASE}`, '*'])
			await refused(client.sip.domains.create({ domainName: bad }), 21231, 400, /DomainName/);
		const missing = await raw('POST', '/SIP/Domains.json', { body: 'FriendlyName=x' });
		assert.equal(missing.status, 400);
		assert.equal(missing.json.code, 21231);
		assert.match(missing.json.message, /DomainName is required/);
	});

	test("an account's SID is a name for that account alone", async (t) => {
		await makeDomain(t, { domainName: `${ACCOUNT}.${BASE}` });
		await refused(client.sip.domains.create({ domainName: `AC${'0'.repeat(31)}f.${BASE}` }), 21231, 400, /reserved/);
	});

	test('each bad parameter is refused with its code and its name', async (t) => {
		const d = await makeDomain(t);
		const bad = [
			[{ friendlyName: 'x'.repeat(65) }, 21231, /FriendlyName/],
			[{ voiceUrl: '/voice' }, 21205, /VoiceUrl/],
			[{ voiceUrl: 'http://my_host/voice' }, 21205, /VoiceUrl/],
			[{ voiceFallbackUrl: 'ftp://example.com/' }, 21205, /VoiceFallbackUrl/],
			[{ voiceStatusCallbackUrl: 'example.com' }, 21205, /VoiceStatusCallbackUrl/],
			[{ voiceMethod: 'PUT' }, 21209, /VoiceMethod/],
			[{ voiceFallbackMethod: 'x' }, 21209, /VoiceFallbackMethod/],
			[{ voiceStatusCallbackMethod: 'x' }, 21209, /VoiceStatusCallbackMethod/],
			[{ byocTrunkSid: 'BY1' }, 21231, /ByocTrunkSid/],
			[{ emergencyCallerSid: 'x' }, 21231, /EmergencyCallerSid/],
		];

		for (const [properties, code, pattern] of bad) {
			await refused(client.sip.domains.create({ domainName: name(), ...properties }), code, 400, pattern);
			await refused(client.sip.domains(d.sid).update(properties), code, 400, pattern);
		}
		for (const flag of ['SipRegistration', 'Secure', 'EmergencyCallingEnabled']) {
			const answer = await raw('POST', `/SIP/Domains/${d.sid}.json`, { body: `${flag}=maybe` });
			assert.equal(answer.json.code, 21231);
			assert.match(answer.json.message, new RegExp(flag));
		}
		assert.deepEqual((await client.sip.domains(d.sid).fetch()).toJSON(), d.toJSON());
	});

	test('a subdomain needs its parent, and keeps it', async (t) => {
		const parent = await makeDomain(t);

		await refused(client.sip.domains.create({ domainName: `a.${name()}` }), 21231, 400, /DomainName is below/);
		const child = await makeDomain(t, { domainName: `a.${parent.domainName}` });
		const grandchild = await makeDomain(t, { domainName: `b.${child.domainName}` });
		await refused(client.sip.domains(parent.sid).remove(), 21233);
		await refused(client.sip.domains(child.sid).remove(), 21233);
		await refused(client.sip.domains(parent.sid).update({ domainName: name() }), 21233);
		assert.equal((await client.sip.domains(parent.sid).update({ domainName: parent.domainName, friendlyName: 'p' })).friendlyName, 'p');
		await grandchild.remove();
		await child.remove();
		await parent.remove();
	});

	test('a subdomain that comes while its parent goes does not outlive it', async (t) => {
		for (let i = 0; i < 10; i++) {
			const parent = await makeDomain(t);
			const domainName = `a.${parent.domainName}`;
			const [child, gone] = await Promise.allSettled([client.sip.domains.create({ domainName }), parent.remove()]);

			assert.notEqual(child.status, gone.status, 'either the subdomain came or the parent went');
			const failed = child.status === 'rejected' ? child.reason : gone.reason;
			assert.equal(failed.code, child.status === 'rejected' ? 21231 : 21233);
			if (child.status === 'fulfilled')
				await client.sip.domains(child.value.sid).remove();
		}
	});

	test('text that would be SQL or markup is text', async (t) => {
		const friendlyName = `'); DROP TABLE calls; -- ${unique()} \\ \u2028 <x> %s $1`;
		const d = await makeDomain(t, { friendlyName });

		assert.equal((await client.sip.domains(d.sid).fetch()).friendlyName, friendlyName);
	});
});

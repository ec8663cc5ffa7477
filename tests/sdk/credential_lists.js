'use strict';
/* sip-and-rest.md §1.5 */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { ACCOUNT, PASSWORD, client, made, makeCredentialList, makeDomain, raw, refused, unique } = require('./client');

describe('credential lists', () => {
	test('are made, fetched, listed, renamed and deleted', async (t) => {
		const list = await makeCredentialList(t);
		const uri = `/2010-04-01/Accounts/${ACCOUNT}/SIP/CredentialLists/${list.sid}`;

		assert.match(list.sid, /^CL[0-9a-f]{32}$/);
		assert.equal(list.uri, `${uri}.json`);
		assert.deepEqual(list.subresourceUris, { credentials: `${uri}/Credentials.json` });
		assert.deepEqual((await client.sip.credentialLists(list.sid).fetch()).toJSON(), list.toJSON());
		assert.ok((await client.sip.credentialLists.list()).some((x) => x.sid === list.sid));
		const renamed = unique();
		assert.equal((await client.sip.credentialLists(list.sid).update({ friendlyName: renamed })).friendlyName, renamed);
		assert.equal(await client.sip.credentialLists(list.sid).remove(), true);
		await refused(client.sip.credentialLists(list.sid).fetch(), 20404, 404);
	});

	test('need a name of at most 64 characters that the account has once', async (t) => {
		const list = await makeCredentialList(t);

		await refused(client.sip.credentialLists.create({ friendlyName: 'x'.repeat(65) }), 21240, 400, /FriendlyName/);
		await refused(client.sip.credentialLists.create({ friendlyName: '' }), 21240, 400, /FriendlyName/);
		await refused(client.sip.credentialLists.create({ friendlyName: list.friendlyName }), 21240, 400, /FriendlyName/);
	});

	test('stay while a domain is mapped to them, to call or to register', async (t) => {
		const domain = await makeDomain(t), list = await makeCredentialList(t);
		const { calls, registrations } = client.sip.domains(domain.sid).auth;

		for (const { credentialListMappings } of [calls, registrations]) {
			await credentialListMappings.create({ credentialListSid: list.sid });
			await refused(list.remove(), 21241, 400, /mapped/);
			await credentialListMappings(list.sid).remove();
		}
		assert.equal(await list.remove(), true);
	});
});

describe('credentials', () => {
	test('are made, fetched, listed, given a new password and deleted', async (t) => {
		const list = await makeCredentialList(t);
		const { credentials } = client.sip.credentialLists(list.sid);
		const c = await credentials.create({ username: 'alice', password: PASSWORD });

		assert.match(c.sid, /^CR[0-9a-f]{32}$/);
		assert.equal(c.accountSid, ACCOUNT);
		assert.equal(c.credentialListSid, list.sid);
		assert.equal(c.username, 'alice');
		assert.equal(c.uri, `/2010-04-01/Accounts/${ACCOUNT}/SIP/CredentialLists/${list.sid}/Credentials/${c.sid}.json`);
		assert.deepEqual((await credentials(c.sid).fetch()).toJSON(), c.toJSON());
		assert.deepEqual((await credentials.list()).map((x) => x.sid), [c.sid]);
		assert.equal((await credentials(c.sid).update({ password: `${PASSWORD}x` })).username, 'alice');
		assert.equal(await credentials(c.sid).remove(), true);
		await refused(credentials(c.sid).fetch(), 20404, 404);
	});

	test('never show the password or what became of it', async (t) => {
		const list = await makeCredentialList(t), path = `/SIP/CredentialLists/${list.sid}/Credentials`;
		const created = await raw('POST', `${path}.json`, { body: `Username=bob&Password=${PASSWORD}` });
		const answers = [created, await raw('GET', `${path}/${created.json.sid}.json`), await raw('GET', `${path}.json`),
			await raw('POST', `${path}/${created.json.sid}.json`, { body: `Password=${PASSWORD}y` }),
			await raw('POST', `${path}.json`, { body: `Username=bob&Password=${PASSWORD}` })];

		assert.deepEqual(Object.keys(created.json).sort(),
			['account_sid', 'credential_list_sid', 'date_created', 'date_updated', 'sid', 'uri', 'username']);
		for (const { text } of answers) {
			assert.ok(!text.includes(PASSWORD));
			assert.ok(!/[0-9a-f]{64}|ha1/.test(text));
		}
	});

	test('need a user of at most 32 characters of SIP, once in a list', async (t) => {
		const { credentials } = client.sip.credentialLists((await makeCredentialList(t)).sid);

		for (const username of ['', 'x'.repeat(33), 'a b', 'a:b', 'a"b', 'a\\b', 'ä', 'a\nb'])
			await refused(credentials.create({ username, password: PASSWORD }), 21243, 400, /Username/);
		await credentials.create({ username: 'x'.repeat(32), password: PASSWORD });
		await credentials.create({ username: '+15551234567', password: PASSWORD });
		await credentials.create({ username: 'a.b-c_d@e', password: PASSWORD });
		await refused(credentials.create({ username: 'a.b-c_d@e', password: PASSWORD }), 21243, 400, /Username/);
	});

	test('need a password of twelve characters with a digit and both cases', async (t) => {
		const { credentials } = client.sip.credentialLists((await makeCredentialList(t)).sid);
		const c = await credentials.create({ username: 'carol', password: 'Abcdefghijk1' });

		for (const password of ['', 'Abcdefghij1', 'abcdefghijk1', 'ABCDEFGHIJK1', 'Abcdefghijkl']) {
			await refused(credentials.create({ username: 'dave', password }), 21243, 400, /Password/);
			await refused(credentials(c.sid).update({ password }), 21243, 400, /Password/);
		}
	});

	test('keep their user, and say that it was not changed', async (t) => {
		const list = await makeCredentialList(t);
		const c = await client.sip.credentialLists(list.sid).credentials.create({ username: 'erin', password: PASSWORD });
		const answer = await raw('POST', `/SIP/CredentialLists/${list.sid}/Credentials/${c.sid}.json`, { body: 'Username=mallory' });

		assert.equal(answer.status, 200);
		assert.equal(answer.json.username, 'erin');
		assert.equal(answer.headers.get('warning'), '299 - "20001 Unknown parameters, not used: Username"');
	});

	test('belong to their list alone, and the same user may be in another', async (t) => {
		const one = await makeCredentialList(t), two = await makeCredentialList(t);
		const c = await client.sip.credentialLists(one.sid).credentials.create({ username: 'frank', password: PASSWORD });

		await client.sip.credentialLists(two.sid).credentials.create({ username: 'frank', password: PASSWORD });
		await refused(client.sip.credentialLists(two.sid).credentials(c.sid).fetch(), 20404, 404);
		await refused(client.sip.credentialLists(two.sid).credentials(c.sid).remove(), 20404, 404);
		await made(t, client.sip.credentialLists, { friendlyName: unique() });
	});
});

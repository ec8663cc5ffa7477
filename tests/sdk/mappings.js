'use strict';
/* sip-and-rest.md §1.2, §1.3 */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { ACCOUNT, client, makeAcl, makeCredentialList, makeDomain, raw, refused } = require('./client');

const kinds = [
	{ what: 'IP access control lists that may call', make: makeAcl, at: (d) => d.auth.calls.ipAccessControlListMappings,
	  param: 'ipAccessControlListSid', code: 21231, noun: 'IpAccessControlList' },
	{ what: 'credential lists that may call', make: makeCredentialList, at: (d) => d.auth.calls.credentialListMappings,
	  param: 'credentialListSid', code: 21231, noun: 'CredentialList' },
	{ what: 'credential lists that may register', make: makeCredentialList, at: (d) => d.auth.registrations.credentialListMappings,
	  param: 'credentialListSid', code: 21231, noun: 'CredentialList' },
	{ what: 'IP access control lists by the older path', make: makeAcl, at: (d) => d.ipAccessControlListMappings,
	  param: 'ipAccessControlListSid', code: 21231, noun: 'IpAccessControlList', legacy: 'IpAccessControlListMappings' },
	{ what: 'credential lists by the older path', make: makeCredentialList, at: (d) => d.credentialListMappings,
	  param: 'credentialListSid', code: 21231, noun: 'CredentialList', legacy: 'CredentialListMappings' },
];

for (const kind of kinds)
	describe(`mappings of ${kind.what}`, () => {
		test('are made, shown by the list they map, listed and deleted', async (t) => {
			const domain = await makeDomain(t), list = await kind.make(t);
			const mappings = kind.at(client.sip.domains(domain.sid));
			const m = await mappings.create({ [kind.param]: list.sid });

			t.after(() => mappings(list.sid).remove().catch(() => {}));
			assert.equal(m.sid, list.sid);
			assert.equal(m.accountSid, ACCOUNT);
			assert.equal(m.friendlyName, list.friendlyName);
			assert.ok(m.dateCreated instanceof Date && m.dateUpdated instanceof Date);
			if (kind.legacy) {
				assert.equal(m.domainSid, domain.sid);
				assert.equal(m.uri, `/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains/${domain.sid}/${kind.legacy}/${list.sid}.json`);
			}
			assert.deepEqual((await mappings(list.sid).fetch()).toJSON(), m.toJSON());
			assert.deepEqual((await mappings.list()).map((x) => x.sid), [list.sid]);
			assert.equal(await mappings(list.sid).remove(), true);
			assert.deepEqual(await mappings.list(), []);
			await refused(mappings(list.sid).fetch(), 20404, 404);
			await refused(mappings(list.sid).remove(), 20404, 404);
		});

		test('are refused twice, without a list, with a list of nobody, and for a domain of nobody', async (t) => {
			const domain = await makeDomain(t), list = await kind.make(t);
			const mappings = kind.at(client.sip.domains(domain.sid));
			const nobody = `${list.sid.slice(0, 2)}${'0'.repeat(32)}`;

			await mappings.create({ [kind.param]: list.sid });
			t.after(() => mappings(list.sid).remove().catch(() => {}));
			await refused(mappings.create({ [kind.param]: list.sid }), 21231, 400, new RegExp(`^${kind.noun} already associated with this domain$`));
			await refused(mappings.create({ [kind.param]: 'x' }), kind.code, 400, new RegExp(kind.param, 'i'));
			await refused(mappings.create({ [kind.param]: nobody }), 20404, 404, new RegExp(kind.param, 'i'));
			const other = kind.at(client.sip.domains(`SD${'0'.repeat(32)}`));
			await refused(other.create({ [kind.param]: list.sid }), 20404, 404);
			await refused(other.list(), 20404, 404);
		});
	});

describe('mappings', () => {
	test('of one path are those of the older path', async (t) => {
		const domain = await makeDomain(t), acl = await makeAcl(t), list = await makeCredentialList(t);
		const d = client.sip.domains(domain.sid);

		await d.ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid });
		assert.deepEqual((await d.auth.calls.ipAccessControlListMappings.list()).map((x) => x.sid), [acl.sid]);
		await refused(d.auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid }), 21231);
		await d.auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
		assert.deepEqual((await d.credentialListMappings.list()).map((x) => x.sid), [list.sid]);
		await d.credentialListMappings(list.sid).remove();
		assert.deepEqual(await d.auth.calls.credentialListMappings.list(), []);
	});

	test('for calls and for registrations are apart, and may have the same list', async (t) => {
		const domain = await makeDomain(t), list = await makeCredentialList(t);
		const { auth } = client.sip.domains(domain.sid);

		await auth.registrations.credentialListMappings.create({ credentialListSid: list.sid });
		assert.deepEqual(await auth.calls.credentialListMappings.list(), []);
		assert.equal((await client.sip.domains(domain.sid).fetch()).authType, '');
		await auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
		await auth.registrations.credentialListMappings(list.sid).remove();
		assert.equal((await auth.calls.credentialListMappings.list()).length, 1);
		await auth.calls.credentialListMappings(list.sid).remove();
	});

	test('make the auth type of their domain, in the order in which they came', async (t) => {
		const domain = await makeDomain(t), acl = await makeAcl(t), list = await makeCredentialList(t);
		const d = client.sip.domains(domain.sid);
		const type = async () => (await d.fetch()).authType;

		await d.auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
		assert.equal(await type(), 'CREDENTIAL_LIST');
		await d.auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid });
		assert.equal(await type(), 'CREDENTIAL_LIST,IP_ACL');
		await d.auth.calls.credentialListMappings(list.sid).remove();
		assert.equal(await type(), 'IP_ACL');
		await d.auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
		assert.equal(await type(), 'IP_ACL,CREDENTIAL_LIST');
		await d.auth.calls.ipAccessControlListMappings(acl.sid).remove();
		await d.auth.calls.credentialListMappings(list.sid).remove();
		assert.equal(await type(), '');
	});

	test('go with their domain, and the lists stay', async (t) => {
		const domain = await makeDomain(t), acl = await makeAcl(t), list = await makeCredentialList(t);
		const { auth } = client.sip.domains(domain.sid);

		await auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid });
		await auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
		await domain.remove();
		assert.equal((await client.sip.ipAccessControlLists(acl.sid).fetch()).sid, acl.sid);
		assert.equal((await client.sip.credentialLists(list.sid).fetch()).sid, list.sid);
		await acl.remove();
		await list.remove();
	});

	test('have no update, and their path nodes no operations', async (t) => {
		const domain = await makeDomain(t), acl = await makeAcl(t);
		const path = `/SIP/Domains/${domain.sid}/Auth/Calls/IpAccessControlListMappings/${acl.sid}.json`;
		const answer = await raw('POST', path, { body: 'FriendlyName=x' });

		assert.equal(answer.status, 405);
		assert.equal(answer.json.code, 20004);
		assert.equal(answer.headers.get('allow'), 'GET, HEAD, DELETE');
		for (const node of ['Auth', 'Auth/Calls', 'Auth/Registrations'])
			assert.equal((await raw('GET', `/SIP/Domains/${domain.sid}/${node}.json`)).status, 404);
	});
});

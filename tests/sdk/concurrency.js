'use strict';
/* Writers that meet: on one row, on one key, on a parent that goes, and beside a reader of pages. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { BASE, PASSWORD, client, makeAcl, makeCredentialList, makeDomain, raw, unique } = require('./client');

const AT_ONCE = 8;
const together = (n, job) => Promise.allSettled(Array.from({ length: n }, (_, i) => job(i)));
const refusals = (results) => results.filter((r) => r.status === 'rejected').map((r) => r.reason);
const values = (results) => results.filter((r) => r.status === 'fulfilled').map((r) => r.value);

/* What the audit says was done to a thing. */
async function audited(sid, action) {
	const { json } = await raw('GET', `/AuditEvents.json?ResourceSid=${sid}&Action=${action}&PageSize=1000`);
	return json.audit_events;
}

describe('concurrency', () => {
	test('writers of one row each succeed, their fields do not mix, and the audit has them all', async (t) => {
		const domain = await makeDomain(t);
		const written = (i) => ({ friendlyName: `writer ${i}`, voiceUrl: `https://writer${i}.example.com/`, voiceStatusCallbackUrl: `https://writer${i}.example.com/s` });
		const shown = ({ friendlyName, voiceUrl, voiceStatusCallbackUrl }) => ({ friendlyName, voiceUrl, voiceStatusCallbackUrl });
		const all = Array.from({ length: AT_ONCE }, (_, i) => written(i));
		const results = await together(AT_ONCE, (i) => client.sip.domains(domain.sid).update(written(i)));

		assert.deepEqual(refusals(results), []);
		const now = shown(await client.sip.domains(domain.sid).fetch());
		assert.ok(all.some((w) => JSON.stringify(w) === JSON.stringify(now)), JSON.stringify(now));
		assert.equal((await audited(domain.sid, 'update')).length, AT_ONCE);
	});

	test('writers of different fields of one row lose nothing', async (t) => {
		const domain = await makeDomain(t);
		await Promise.all([
			client.sip.domains(domain.sid).update({ friendlyName: 'one' }),
			client.sip.domains(domain.sid).update({ voiceUrl: 'https://two.example.com/' }),
			client.sip.domains(domain.sid).update({ voiceMethod: 'GET' }),
			client.sip.domains(domain.sid).update({ sipRegistration: true }),
		]);
		const { friendlyName, voiceUrl, voiceMethod, sipRegistration } = await client.sip.domains(domain.sid).fetch();
		assert.deepEqual({ friendlyName, voiceUrl, voiceMethod, sipRegistration },
			{ friendlyName: 'one', voiceUrl: 'https://two.example.com/', voiceMethod: 'GET', sipRegistration: true });
	});

	test('a name that several want in an update goes to one', async (t) => {
		const domains = [];
		for (let i = 0; i < 4; i++)
			domains.push(await makeDomain(t));
		const domainName = `${unique()}.${BASE}`;
		const results = await together(4, (i) => client.sip.domains(domains[i].sid).update({ domainName }));

		assert.equal(values(results).length, 1);
		assert.deepEqual(refusals(results).map((e) => [e.code, e.status]), Array(3).fill([21232, 400]));
	});

	test('a user of a list that several make is made once', async (t) => {
		const { credentials } = client.sip.credentialLists((await makeCredentialList(t)).sid);
		const results = await together(AT_ONCE, () => credentials.create({ username: 'alice', password: PASSWORD }));
		const codes = new Set(refusals(results).map((e) => `${e.status} ${e.code}`));

		assert.equal(values(results).length, 1);
		assert.equal(codes.size, 1, [...codes].join());
		assert.match([...codes][0], /^4\d\d 2\d{4}$/);
		assert.equal((await credentials.list()).length, 1);
	});

	test('a list that goes while addresses come takes them along, or the late ones are told', async () => {
		for (let round = 0; round < 5; round++) {
			const { sid } = await client.sip.ipAccessControlLists.create({ friendlyName: unique() });
			const list = client.sip.ipAccessControlLists(sid);
			await list.ipAddresses.create({ friendlyName: 'first', ipAddress: '203.0.113.7' });
			const [removed, ...results] = await Promise.allSettled([
				list.remove(),
				...Array.from({ length: AT_ONCE }, (_, i) => list.ipAddresses.create({ friendlyName: 'x', ipAddress: `198.51.100.${i}` })),
			]);

			assert.equal(removed.status, 'fulfilled', String(removed.reason));
			/* A row may be made, and go with its list before its answer is read. */
			for (const e of refusals(results))
				assert.deepEqual([e.status, e.code], [404, 20404]);
			for (const address of values(results))
				assert.equal((await raw('GET', `/SIP/IpAccessControlLists/${sid}/IpAddresses/${address.sid}.json`)).status, 404);
			assert.equal((await raw('GET', `/SIP/IpAccessControlLists/${sid}/IpAddresses.json`)).status, 404);
		}
	});

	test('a list is mapped, or goes: never both', async (t) => {
		const { ipAccessControlListMappings } = client.sip.domains((await makeDomain(t)).sid);
		const before = await ipAccessControlListMappings.create({ ipAccessControlListSid: (await makeAcl(t)).sid });
		await ipAccessControlListMappings(before.sid).remove();
		for (let round = 0; round < 5; round++) {
			const acl = await makeAcl(t);
			const [removed, mapped] = await Promise.allSettled([
				client.sip.ipAccessControlLists(acl.sid).remove(),
				ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid }),
			]);
			const there = (await ipAccessControlListMappings.list()).some((m) => m.sid === acl.sid);

			assert.notEqual(removed.status, mapped.status, `${removed.reason} ${mapped.reason}`);
			assert.equal(there, mapped.status === 'fulfilled');
			const { status } = [removed, mapped].find((r) => r.status === 'rejected').reason;
			assert.ok(status >= 400 && status < 500, String(status));
			if (there) {
				await ipAccessControlListMappings(acl.sid).remove();
				await acl.remove();
			}
		}
	});

	test('pages skip and repeat none of the rows that were there all the while', async (t) => {
		const { credentials } = client.sip.credentialLists((await makeCredentialList(t)).sid);
		const keep = [], go = [];
		for (let i = 0; i < 30; i++)
			(i % 2 ? keep : go).push(await credentials.create({ username: `u${i}`, password: PASSWORD }));
		let reading = true;
		const writer = (async () => {
			for (let i = 0; reading && i < 500; i++) {
				const gone = go.shift();
				if (gone)
					await credentials(gone.sid).remove();
				go.push(await credentials.create({ username: `new${i}`, password: PASSWORD }));
			}
		})();
		try {
			for (let round = 0; round < 5; round++) {
				const seen = [];
				/* Rows that come behind the reader's page never end: it stops when it has all that stay. */
				for (let page = await credentials.page({ pageSize: 4 }), n = 0; page && n < 100; n++) {
					seen.push(...page.instances.map((c) => c.sid));
					page = page.nextPageUrl ? await page.nextPage() : null;
				}
				assert.equal(new Set(seen).size, seen.length, 'no row twice');
				for (const { sid } of keep)
					assert.ok(seen.includes(sid), sid);
			}
		} finally {
			reading = false;
			await writer;
		}
	});

	test('one Idempotency-Key sent by several at once makes one thing', async (t) => {
		const key = unique('key'), friendlyName = unique();
		const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => raw('POST', '/SIP/IpAccessControlLists.json',
			{ body: `FriendlyName=${friendlyName}`, headers: { 'Idempotency-Key': key } })));
		const sids = new Set(answers.map((a) => a.json.sid));

		t.after(() => Promise.all([...sids].map((sid) => client.sip.ipAccessControlLists(sid).remove())));
		assert.deepEqual(answers.map((a) => a.status), Array(AT_ONCE).fill(201));
		assert.equal(sids.size, 1);
		assert.equal(answers.filter((a) => a.headers.get('idempotent-replayed')).length, AT_ONCE - 1);
		assert.equal((await client.sip.ipAccessControlLists.list()).filter((l) => l.friendlyName === friendlyName).length, 1);
	});
});

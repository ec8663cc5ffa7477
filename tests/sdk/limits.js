'use strict';
/* sip-and-rest.md §2: each limit is kept exactly, also by writers that meet at its edge. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { BASE, PASSWORD, client, makeAcl, makeCredentialList, name, unique } = require('./client');

const AT_ONCE = 8;

/* Runs the makers of `jobs`, at most AT_ONCE at a time; the settled results. */
async function run(jobs) {
	const results = [];
	let next = 0;
	await Promise.all(Array.from({ length: AT_ONCE }, async () => {
		while (next < jobs.length) {
			const i = next++;
			[results[i]] = await Promise.allSettled([jobs[i]()]);
		}
	}));
	return results;
}

/* Fills to `limit` but one, then lets several try for the last place: one gets it. */
async function meetAtTheEdge(create, count, limit, code) {
	const before = await count();
	const filled = await run(Array.from({ length: limit - 1 - before }, () => create));
	assert.deepEqual(filled.filter((r) => r.status === 'rejected'), []);
	const last = await run(Array.from({ length: AT_ONCE }, () => create));
	const refusals = last.filter((r) => r.status === 'rejected').map((r) => r.reason);
	assert.equal(refusals.length, AT_ONCE - 1, 'one of the last writers gets the place');
	for (const e of refusals)
		assert.deepEqual([e.code, e.status], [code, 400]);
	assert.equal(await count(), limit);
	return [...filled, ...last].filter((r) => r.status === 'fulfilled').map((r) => r.value);
}

/* Account-wide limits: what a test made goes whatever happened. */
async function accountLimit(list, create, limit, code) {
	const mine = new Set();
	const remember = async () => {
		const thing = await create();
		mine.add(thing);
		return thing;
	};
	try {
		await meetAtTheEdge(remember, async () => (await list.list({ pageSize: 1000 })).length, limit, code);
	} finally {
		const removed = await run([...mine].map((thing) => () => list(thing.sid).remove()));
		assert.deepEqual(removed.filter((r) => r.status === 'rejected'), []);
	}
}

describe('limits', () => {
	test('an account has 100 SIP domains', async () => {
		await accountLimit(client.sip.domains, () => client.sip.domains.create({ domainName: name() }), 100, 21230);
	});

	test('an account has 1000 IP access control lists', async () => {
		await accountLimit(client.sip.ipAccessControlLists, () => client.sip.ipAccessControlLists.create({ friendlyName: unique() }), 1000, 21255);
	});

	test('an account has 100 credential lists', async () => {
		await accountLimit(client.sip.credentialLists, () => client.sip.credentialLists.create({ friendlyName: unique() }), 100, 21239);
	});

	test('a list has 100 addresses', async (t) => {
		const { ipAddresses } = client.sip.ipAccessControlLists((await makeAcl(t)).sid);
		let n = 0;

		await meetAtTheEdge(() => ipAddresses.create({ friendlyName: 'x', ipAddress: `198.51.100.${n++}` }),
			async () => (await ipAddresses.list({ pageSize: 1000 })).length, 100, 21237);
	});

	test('a list has 1000 credentials', async (t) => {
		const { credentials } = client.sip.credentialLists((await makeCredentialList(t)).sid);
		let n = 0;

		await meetAtTheEdge(() => credentials.create({ username: `u${n++}`, password: PASSWORD }),
			async () => (await credentials.list({ pageSize: 1000 })).length, 1000, 21242);
	});

	test('one name wanted by several at once goes to one', async () => {
		const domainName = `${unique()}.${BASE}`;
		const results = await run(Array.from({ length: AT_ONCE }, () => () => client.sip.domains.create({ domainName })));
		const got = results.filter((r) => r.status === 'fulfilled');

		for (const r of got)
			await client.sip.domains(r.value.sid).remove();
		assert.equal(got.length, 1);
		for (const r of results.filter((x) => x.status === 'rejected'))
			assert.equal(r.reason.code, 21232);
	});
});

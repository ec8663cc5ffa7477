'use strict';
/* sip-and-rest.md §1.0: envelopes, PageSize, Page, PageToken */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { API, PASSWORD, client, makeCredentialList, raw, refused } = require('./client');

async function listOf(t, n) {
	const list = await makeCredentialList(t);
	const { credentials } = client.sip.credentialLists(list.sid);
	for (let i = 0; i < n; i++)
		await credentials.create({ username: `u${String(i).padStart(3, '0')}`, password: PASSWORD });
	return { credentials, path: `/SIP/CredentialLists/${list.sid}/Credentials.json` };
}
const users = (rows) => rows.map((c) => c.username);
const numbered = (from, to) => Array.from({ length: to - from }, (_, i) => `u${String(from + i).padStart(3, '0')}`);

describe('paging', () => {
	test('an envelope has its nine keys and no other', async (t) => {
		const { path } = await listOf(t, 0);
		const { json, status } = await raw('GET', path);

		assert.equal(status, 200);
		assert.deepEqual(Object.keys(json).sort(), ['credentials', 'end', 'first_page_uri', 'next_page_uri', 'page', 'page_size',
			'previous_page_uri', 'start', 'uri']);
		assert.deepEqual([json.page, json.page_size, json.start, json.end, json.next_page_uri, json.previous_page_uri],
			[0, 50, 0, 0, null, null]);
		assert.deepEqual(json.credentials, []);
		assert.match(json.first_page_uri, /^\/2010-04-01\/Accounts\/AC.*\.json\?PageSize=50&Page=0$/);
	});

	test('the SDK lists all over pages, forth and back', async (t) => {
		const { credentials } = await listOf(t, 12);

		assert.deepEqual(users(await credentials.list({ pageSize: 5 })), numbered(0, 12));
		assert.deepEqual(users(await credentials.list({ pageSize: 5, limit: 7 })), numbered(0, 7));
		const one = await credentials.page({ pageSize: 5 });
		const two = await one.nextPage();
		const three = await two.nextPage();
		assert.deepEqual([users(one.instances), users(two.instances), users(three.instances)],
			[numbered(0, 5), numbered(5, 10), numbered(10, 12)]);
		assert.equal(three.nextPageUrl, undefined);
		assert.equal(one.previousPageUrl, undefined);
		const again = await three.previousPage();
		assert.deepEqual(users(again.instances), numbered(5, 10));
		assert.deepEqual(users((await again.previousPage()).instances), numbered(0, 5));
		assert.deepEqual(users((await again.nextPage()).instances), numbered(10, 12));
	});

	test('pages count themselves and where they start and end', async (t) => {
		const { path } = await listOf(t, 5);
		const one = (await raw('GET', `${path}?PageSize=2`)).json;
		const two = (await raw('GET', one.next_page_uri, { root: '' })).json;

		assert.match(one.next_page_uri, /\?PageSize=2&Page=1&PageToken=PACR[0-9a-f]{32}$/);
		assert.deepEqual([one.page, one.start, one.end, two.page, two.start, two.end], [0, 0, 1, 1, 2, 3]);
		assert.equal(two.uri, one.next_page_uri);
	});

	test('rows that go and come between pages make none skip or repeat', async (t) => {
		const { credentials } = await listOf(t, 9);
		const page = await credentials.page({ pageSize: 3 });

		/* Rows of the first page go, also the one that the token stands for; new rows come at the end. */
		for (const c of page.instances)
			await credentials(c.sid).remove();
		await credentials.create({ username: 'u009', password: PASSWORD });
		const two = await page.nextPage();
		const three = await two.nextPage();
		const four = await three.nextPage();
		assert.deepEqual([...users(two.instances), ...users(three.instances), ...users(four.instances)], numbered(3, 10));
	});

	test('an exact last page has no next one', async (t) => {
		const { path } = await listOf(t, 4);
		const one = (await raw('GET', `${path}?PageSize=2`)).json;

		assert.equal((await raw('GET', one.next_page_uri, { root: '' })).json.next_page_uri, null);
	});

	test('a page size over a thousand is refused with 20007, others that are none with a sentence', async (t) => {
		const { credentials, path } = await listOf(t, 1);

		assert.equal((await raw('GET', `${path}?PageSize=1000`)).json.page_size, 1000);
		await refused(credentials.page({ pageSize: 1001 }), 20007);
		for (const query of ['PageSize=0', 'PageSize=-1', 'PageSize=x', 'Page=-1', 'PageToken=nonsense', `PageToken=PASD${'0'.repeat(32)}`]) {
			const answer = await raw('GET', `${path}?${query}`);
			assert.equal(answer.status, 400, query);
			assert.match(answer.json.message, new RegExp(query.split('=')[0]));
		}
	});

	test('what the platform says of its pages is below its own root', async (t) => {
		const { path } = await listOf(t, 2);
		const { json } = await raw('GET', `${path}?PageSize=1`);

		assert.ok(!JSON.stringify(json).includes(API));
		assert.ok(json.next_page_uri.startsWith('/2010-04-01/Accounts/AC'));
	});
});

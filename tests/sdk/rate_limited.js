'use strict';
/* On a stack with API_REQUESTS_PER_SECOND=20, which tests/run makes for this file alone. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { client, connect, raw, until } = require('./client');

const LIMIT = 20;

describe('requests beyond API_REQUESTS_PER_SECOND', () => {
	test('are 429 20429 to the SDK, and served a second later', async () => {
		const started = Date.now();
		const results = await Promise.allSettled(Array.from({ length: 10 * LIMIT }, () => client.sip.domains.list({ limit: 1 })));
		const refused = results.filter((r) => r.status === 'rejected').map((r) => r.reason), seconds = (Date.now() - started) / 1000;

		assert.ok(refused.length > 0, `${results.length} requests in ${seconds} s`);
		for (const e of refused)
			assert.deepEqual([e.code, e.status, e.moreInfo], [20429, 429, 'https://www.twilio.com/docs/errors/20429']);
		/* A full bucket, and what came back to it meanwhile. */
		const served = results.length - refused.length;
		assert.ok(served >= LIMIT - 1 && served <= LIMIT * (1 + seconds) + 1, `${served} served in ${seconds} s`);
		await until(() => client.sip.domains.list({ limit: 1 }).catch(() => null), 'a request that is served');
	});

	test('say when to come again', async () => {
		const answers = await Promise.all(Array.from({ length: 10 * LIMIT }, () => raw('GET', '/Calls.json?PageSize=1')));
		const answer = answers.find((a) => a.status === 429);

		assert.equal(answer.headers.get('retry-after'), '1');
		assert.equal(answer.headers.get('x-twilio-error-code'), '20429');
		assert.match(answer.json.message, /More than 20 requests a second/);
	});

	test('do not count for another account', async (t) => {
		const sub = await until(() => client.api.v2010.accounts.create({}).catch(() => null), 'a subaccount'), own = connect(sub.sid, sub.authToken);
		t.after(() => until(() => client.api.v2010.accounts(sub.sid).update({ status: 'closed' }).catch(() => null), 'the end of the subaccount'));

		const burst = Promise.all(Array.from({ length: 10 * LIMIT }, () => raw('GET', '/Calls.json?PageSize=1')));
		const others = await Promise.all(Array.from({ length: LIMIT / 2 }, () => own.sip.domains.list()));
		assert.equal(others.length, LIMIT / 2);
		assert.ok((await burst).some((a) => a.status === 429));
	});

	test('do not take the health pages with them', async () => {
		await Promise.all(Array.from({ length: 2 * LIMIT }, async () => {
			assert.equal((await raw('GET', '/healthz', { root: '', auth: null })).status, 200);
		}));
	});
});

'use strict';
/* On a stack with API_REQUESTS_PER_SECOND=20, API_AUTH_FAILURES_PER_MINUTE=30 and API_PROXIES=127.0.0.5, which tests/run makes for this file alone. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const http = require('node:http');
const { ACCOUNT, API, TOKEN, client, connect, raw, until } = require('./client');

const LIMIT = 20, FAILURES = 30;

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

	test('are refused by the tokens\u2019 operations too', async () => {
		const answers = await Promise.all(Array.from({ length: 10 * LIMIT }, () => raw('POST', '/v1/AuthTokens/Promote', { root: '' })));

		assert.ok(answers.some((a) => a.status === 429), 'none was refused');
		assert.deepEqual([...new Set(answers.map((a) => a.status))].sort(), [404, 429]);
		await until(() => client.sip.domains.list({ limit: 1 }).catch(() => null), 'a request that is served');
	});
});

const ROOT = `/2010-04-01/Accounts/${ACCOUNT}`;

/* The status of a request from this address of the machine. */
function from(localAddress, token, { path = `${ROOT}/SIP/Domains.json?PageSize=1`, headers = {}, method = 'GET' } = {}) {
	return new Promise((resolve, reject) => {
		http.request(API + path, { localAddress, auth: `${ACCOUNT}:${token}`, agent: false, method, headers }, (response) => {
			let text = '';
			response.on('data', (data) => { text += data; });
			response.on('end', () => resolve({ status: response.statusCode, after: Number(response.headers['retry-after']), text }));
		}).on('error', reject).end();
	});
}

describe('behind a proxy of API_PROXIES', () => {
	const by = (client, token = TOKEN, options = {}) => from('127.0.0.5', token, { ...options, headers: { 'X-Forwarded-For': `203.0.113.99, ${client}` } });

	test('the client is whom it names, for the audit and for the limits', async () => {
		let made;
		await until(async () => {
			made = await by('198.51.100.7', TOKEN, { method: 'POST', path: `${ROOT}/Applications.json` });
			return made.status === 201;
		}, 'an application');
		const { sid } = JSON.parse(made.text);
		const rows = await until(() => raw('GET', `/AuditEvents.json?ResourceSid=${sid}`).then((a) => a.status === 200 && a.json.audit_events), 'the audit');
		assert.deepEqual(rows.map((r) => r.source_ip_address), ['198.51.100.7']);
		await until(() => raw('DELETE', `/Applications/${sid}.json`).then((a) => a.status === 204), 'the end of the application');

		for (let i = 0; i < FAILURES + 5; i++)
			await by('198.51.100.8', 'wrong');
		assert.deepEqual([await by('198.51.100.8', 'wrong'), await by('198.51.100.9', 'wrong')].map((a) => a.status), [429, 401]);
	});

	test('strangers see neither health nor metrics, and this machine does', async () => {
		for (const path of ['/healthz', '/readyz', '/metrics']) {
			const refused = await by('198.51.100.7', TOKEN, { path });
			assert.deepEqual([refused.status, JSON.parse(refused.text).code], [403, 20403]);
			assert.equal((await from('127.0.0.5', TOKEN, { path })).status, 200);
			assert.equal((await by('127.0.0.1', TOKEN, { path })).status, 200);
		}
		assert.equal((await by('198.51.100.7', TOKEN, { path: '/openapi.json' })).status, 200);
	});
});

/* Last: the address of all the other tests would be locked out. */
describe('wrong credentials beyond API_AUTH_FAILURES_PER_MINUTE', () => {
	test('lock their address out, right ones too, and no other address; until they are forgiven', async () => {
		const statuses = [];
		for (let i = 0; i < FAILURES + 5; i++)
			statuses.push((await from('127.0.0.9', `wrong${i}`)).status);
		assert.deepEqual(statuses.slice(0, FAILURES), Array(FAILURES).fill(401));
		assert.equal(statuses.at(-1), 429);

		const locked = await from('127.0.0.9', TOKEN);
		assert.deepEqual([locked.status, locked.after], [429, 3]);
		/* As soon as the account may ask again. */
		await until(async () => (await from('127.0.0.10', TOKEN)).status === 200, 'an answer at another address', 2);
		assert.equal((await from('127.0.0.9', 'wrong')).status, 429);
		await until(async () => (await from('127.0.0.9', TOKEN)).status === 200, 'to be forgiven', locked.after + 2);
	});

	test('come from whom no proxy vouches for: X-Forwarded-For of strangers is nothing', async () => {
		let last;
		for (let i = 0; i < FAILURES + 5; i++)
			last = await raw('GET', '/Calls.json', { auth: `${ACCOUNT}:wrong`, headers: { 'X-Forwarded-For': `198.51.100.${i}` } });
		assert.equal(last.status, 429);
	});
});

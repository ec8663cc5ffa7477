'use strict';
/* sip-and-rest.md §1.0: authentication, headers, methods, representations, bodies */
const assert = require('node:assert/strict');
const net = require('node:net');
const { describe, test } = require('./record');
const { ACCOUNT, API, TOKEN, client, connect, makeDomain, raw, refused } = require('./client');

/* Says all that, one after the other, and gives what the server says until it closes. */
function wire(parts) {
	const { hostname, port } = new URL(API);

	return new Promise((resolve, reject) => {
		const socket = net.connect(port, hostname, async () => {
			for (const part of parts) {
				socket.write(part);
				await new Promise((done) => { setImmediate(done); });
			}
		});
		let text = '';
		socket.setTimeout(10000, () => socket.destroy(new Error(`no end after: ${text}`)));
		socket.on('data', (data) => { text += data; });
		socket.on('end', () => { socket.end(); resolve(text); });
		socket.on('error', reject);
	});
}

const OTHER = `AC${'0'.repeat(32)}`;

describe('authentication', () => {
	test('a wrong token, a wrong account and none are 401 20003 with a challenge', async () => {
		for (const auth of [`${ACCOUNT}:${'0'.repeat(32)}`, `${ACCOUNT}:`, `${ACCOUNT}:${TOKEN}x`, `${OTHER}:${TOKEN}`, `x:${TOKEN}`, ':', null]) {
			const answer = await raw('GET', '/Calls.json', { auth });
			assert.equal(answer.status, 401, auth);
			assert.equal(answer.json.code, 20003);
			assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="Twilio API"');
			assert.equal(answer.headers.get('x-twilio-error-code'), '20003');
		}
	});

	test('the SDK sees the error as it knows it', async () => {
		await refused(connect(ACCOUNT, 'wrong').sip.domains.list(), 20003, 401, /^Authentication Error/);
	});

	test('a header that is no Basic is 401', async () => {
		for (const Authorization of ['Basic', 'Basic !!!!', 'Bearer x', `Basic ${Buffer.from('x'.repeat(2000)).toString('base64')}`, 'Basic AAAA'])
			assert.equal((await raw('GET', '/Calls.json', { auth: null, headers: { Authorization } })).status, 401);
	});

	test("somebody else's account is not found", async () => {
		await refused(connect(ACCOUNT, TOKEN, { accountSid: OTHER }).sip.domains.list(), 20404, 404);
	});
});

describe('answers', () => {
	test('carry a request id, how long they took, and the code of an error', async () => {
		const good = await raw('GET', '/SIP/Domains.json'), bad = await raw('GET', '/Nothing.json');

		for (const answer of [good, bad]) {
			assert.match(answer.headers.get('twilio-request-id'), /^RQ[0-9a-f]{32}$/);
			assert.match(answer.headers.get('twilio-request-duration'), /^\d+\.\d{3}$/);
			assert.equal(answer.headers.get('content-type'), 'application/json');
		}
		assert.notEqual(good.headers.get('twilio-request-id'), bad.headers.get('twilio-request-id'));
		assert.equal(good.headers.get('x-twilio-error-code'), null);
		assert.equal(bad.headers.get('x-twilio-error-code'), '20404');
		assert.deepEqual(bad.json, {
			code: 20404,
			message: `The requested resource /2010-04-01/Accounts/${ACCOUNT}/Nothing.json was not found`,
			more_info: 'https://www.twilio.com/docs/errors/20404',
			status: 404,
		});
	});

	test('show dates as RFC 2822 in UTC', async (t) => {
		const d = await makeDomain(t);
		const { json } = await raw('GET', `/SIP/Domains/${d.sid}.json`);

		assert.match(json.date_created, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$/);
	});

	test('to a delete are 204 and empty', async (t) => {
		const d = await makeDomain(t);
		const answer = await raw('DELETE', `/SIP/Domains/${d.sid}.json`);

		assert.equal(answer.status, 204);
		assert.equal(answer.text, '');
	});
});

describe('requests', () => {
	test('of another method are 405 20004 with what is allowed', async (t) => {
		const d = await makeDomain(t);

		for (const [method, path, allow] of [['PUT', '/SIP/Domains.json', 'GET, HEAD, POST'], ['DELETE', '/SIP/Domains.json', 'GET, HEAD, POST'],
			['PATCH', `/SIP/Domains/${d.sid}.json`, 'GET, HEAD, POST, DELETE'], ['POST', '/Notifications.json', 'GET, HEAD']]) {
			const answer = await raw(method, path);
			assert.equal(answer.status, 405, `${method} ${path}`);
			assert.equal(answer.json.code, 20004);
			assert.equal(answer.headers.get('allow'), allow);
		}
	});

	test('to paths that are none are 404 20404', async () => {
		for (const path of ['/SIP.json', '/SIP/Domains/x.json', `/SIP/Domains/SD${'0'.repeat(31)}.json`, '/sip/domains.json', '/SIP/Domains/.json',
			`/SIP/Domains/SD${'0'.repeat(32)}.json`, '/SIP/Domains.json/', '/..%2f.json', '/%ff%00.json']) {
			const answer = await raw('GET', path);
			assert.equal(answer.status, 404, path);
			assert.equal(answer.headers.get('x-twilio-error-code'), '20404');
		}
		for (const root of ['', '/', '/2010-04-01', '/2010-04-01/Accounts/x'])
			assert.equal((await raw('GET', '', { root })).status, 404, root);
	});

	test('for a representation that there is not are 404', async (t) => {
		const d = await makeDomain(t);

		for (const path of ['/SIP/Domains.yaml', '/SIP/Domains.json.xml', `/SIP/Domains/${d.sid}.csv`, '/SIP/Domains.JSON'])
			assert.equal((await raw('GET', path)).status, 404, path);
	});

	test('with a body of another type or charset are 415 with a sentence', async () => {
		for (const type of ['application/json', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded; charset=latin1']) {
			const answer = await raw('POST', '/SIP/Domains.json', { body: '{"DomainName":"x"}', headers: { 'Content-Type': type } });

			assert.equal(answer.status, 415, type);
			assert.equal(answer.json.status, 415);
			assert.match(answer.json.message, /application\/x-www-form-urlencoded/);
		}
	});

	test('with a broken or boundless body are 400 or 413, never 500', async () => {
		for (const body of ['DomainName=%zz', 'DomainName=%ff', 'DomainName=a%00b', 'a=1&'.repeat(300), '=', '&&&', '%', 'FriendlyName=a&FriendlyName=b'])
			assert.equal((await raw('POST', '/SIP/Domains.json', { body })).status, 400, body.slice(0, 40));
		for (const query of ['PageSize=%zz', '%ff=1', 'Status=%00', 'a=1&'.repeat(300), 'PageSize=1&PageSize=2'])
			assert.equal((await raw('GET', `/Calls.json?${query}`)).status, 400, query.slice(0, 40));
		const large = await raw('POST', '/SIP/Domains.json', { body: `DomainName=${'x'.repeat(300000)}` });
		assert.equal(large.status, 413);
		assert.equal(large.json.status, 413);
		assert.equal((await raw('GET', `/Calls.json?From=${'x'.repeat(9000)}`)).status, 414);
	});

	test('name the parameter that stands twice', async () => {
		assert.match((await raw('POST', '/SIP/Domains.json', { body: 'FriendlyName=a&DomainName=x&FriendlyName=b' })).json.message, /FriendlyName/);
	});

	test('may say their method in a header', async (t) => {
		const d = await makeDomain(t), path = `/SIP/Domains/${d.sid}.json`, as = (method) => raw('POST', path, { body: '', headers: { 'X-HTTP-Method-Override': method } });

		assert.equal((await as('GET')).json.sid, d.sid);
		assert.equal((await as('PUT')).status, 400);
		assert.equal((await as('DELETE')).status, 204);
		assert.equal((await raw('GET', path)).status, 404);
	});

	test('ask what is allowed by OPTIONS, and for the headers alone by HEAD', async (t) => {
		const d = await makeDomain(t), path = `/SIP/Domains/${d.sid}.json`;
		const options = await raw('OPTIONS', path), head = await raw('HEAD', path), get = await raw('GET', path);

		assert.equal(options.status, 204);
		assert.equal(options.headers.get('allow'), 'GET, HEAD, POST, DELETE');
		assert.equal(head.status, 200);
		assert.equal(head.text, '');
		for (const name of ['content-length', 'content-type', 'etag'])
			assert.equal(head.headers.get(name), get.headers.get(name), name);
		assert.equal((await raw('HEAD', `/SIP/Domains/SD${'0'.repeat(32)}.json`)).status, 404);
	});

	test('for what the client has are 304, until it changes', async (t) => {
		const d = await makeDomain(t);

		for (const path of [`/SIP/Domains/${d.sid}.json`, `/SIP/Domains/${d.sid}.xml`, '/SIP/Domains.json?PageSize=1000', '/SIP/Domains.csv?PageSize=1000']) {
			const first = await raw('GET', path), etag = first.headers.get('etag');

			assert.match(etag, /^"[0-9a-f]{32}"$/);
			const same = await raw('GET', path, { headers: { 'If-None-Match': `"x", W/${etag}` } });
			assert.equal(same.status, 304, path);
			assert.equal(same.text, '');
			assert.equal(same.headers.get('etag'), etag);
			await raw('POST', `/SIP/Domains/${d.sid}.json`, { body: `FriendlyName=${encodeURIComponent(path).slice(0, 60)}` });
			const changed = await raw('GET', path, { headers: { 'If-None-Match': etag } });
			assert.equal(changed.status, 200, path);
			assert.notEqual(changed.headers.get('etag'), etag);
		}
	});

	test('in chunks, in a pipeline, in absolute form and with leave to send are answered in order', async (t) => {
		const auth = `Authorization: Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}\r\nHost: x\r\n`;
		const root = `/2010-04-01/Accounts/${ACCOUNT}`, form = 'Content-Type: application/x-www-form-urlencoded\r\n';
		const d = await makeDomain(t);
		const answers = await wire([
			`POST ${root}/SIP/Domains/${d.sid}.json HTTP/1.1\r\n${auth}${form}Transfer-Encoding: chunked\r\n\r\n`,
			'd\r\nFriendlyName=\r\n7\r\nchunked\r\n0\r\n\r\n',
			`GET http://api.example.com${root}/SIP/Domains/${d.sid}.json HTTP/1.1\r\n${auth}\r\n`,
			`HEAD ${root}/SIP/Domains.json HTTP/1.1\r\n${auth}\r\n`,
			`POST ${root}/SIP/Domains/${d.sid}.json HTTP/1.1\r\n${auth}${form}Expect: 100-continue\r\nContent-Length: 16\r\nConnection: close\r\n\r\n`,
			'FriendlyName=100',
		]);
		const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]).filter((status) => status !== '100');

		assert.deepEqual(statuses, ['200', '200', '200', '200']);
		assert.equal([...answers.matchAll(/"friendly_name":"chunked"/g)].length, 2);
		assert.equal([...answers.matchAll(/"friendly_name":"100"/g)].length, 1);
	});

	test('of other methods than the pages have are 405, and OPTIONS is 204, everywhere', async () => {
		for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json']) {
			for (const method of ['POST', 'DELETE', 'OPTIONS']) {
				const answer = await wire([`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`]);

				assert.match(answer, method === 'OPTIONS' ? /^HTTP\/1\.1 204 / : /^HTTP\/1\.1 405 /, `${method} ${path}`);
				assert.match(answer, /\r\nAllow: GET, HEAD\r\n/);
			}
		}
		assert.match(await wire(['OPTIONS /v1/AuthTokens/Secondary HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n']), /^HTTP\/1\.1 204 [^]*\r\nAllow: POST, DELETE\r\n/);
	});

	test('that wait for leave to send have a refusal instead, when any body would be refused', async (t) => {
		const d = await makeDomain(t), auth = `Authorization: Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}\r\n`;
		const root = `/2010-04-01/Accounts/${ACCOUNT}`, form = 'Content-Type: application/x-www-form-urlencoded\r\n';

		for (const [path, headers, status] of [['/SIP/Domains.json', form, 401], ['/SIP/Domains.json', `${auth}Content-Type: application/json\r\n`, 415],
			['/Notifications.json', auth + form, 405], ['/Nothing.json', auth + form, 404], ['/SIP/Domains.json?a=%zz', auth + form, 400],
			[`/SIP/Domains/${d.sid}.json`, `${auth}${form}X-HTTP-Method-Override: PUT\r\n`, 400]])
			assert.match(await wire([`POST ${root}${path} HTTP/1.1\r\nHost: x\r\n${headers}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`]),
				new RegExp(`^HTTP/1\\.1 ${status} `), `${path} ${status}`);
		assert.match(await wire([`PUT ${root}/SIP/Domains.json HTTP/1.1\r\nHost: x\r\n${auth}${form}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`]), /^HTTP\/1\.1 405 /);
	});

	test('with a body over the maximum are 413, whatever their method and encoding', async () => {
		const chunks = `${'7530\r\n'.concat('x'.repeat(30000), '\r\n').repeat(10)}0\r\n\r\n`;

		for (const method of ['GET', 'POST', 'DELETE']) {
			const answer = await wire([`${method} /2010-04-01/Accounts/${ACCOUNT}/Calls.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`, chunks]);

			assert.match(answer, /^HTTP\/1\.1 413 [^]*"code":20422/, method);
		}
	});

	test('that could be read in two ways are 400', async () => {
		for (const headers of ['HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: a/b', 'HTTP/1.1\r\nHost: x\r\nHost: y',
			'HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b', 'HTTP/1.0\r\nTransfer-Encoding: chunked'])
			assert.match(await wire([`GET /healthz ${headers}\r\nConnection: close\r\n\r\n`]), /^HTTP\/1\.[01] 400 [^]*"code":20422/, headers);
	});

	test('that expect what is not met are 417', async () => {
		const answer = await wire([`POST /2010-04-01/Accounts/${ACCOUNT}/SIP/Domains.json HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 3\r\n\r\n`]);

		assert.match(answer, /^HTTP\/1\.1 417 /);
		assert.match(answer, /"status":417/);
	});

	test('may have parameters that nobody knows', async (t) => {
		const d = await makeDomain(t);
		const answer = await raw('POST', `/SIP/Domains/${d.sid}.json`, { body: 'Unknown=1&FriendlyName=known' });

		assert.equal(answer.status, 200);
		assert.equal(answer.json.friendly_name, 'known');
	});

	test('for health need no account', async () => {
		for (const path of ['/healthz', '/readyz']) {
			const answer = await raw('GET', path, { root: '', auth: null });
			assert.ok([200, 503].includes(answer.status));
			assert.ok(answer.json.status);
		}
		assert.equal((await raw('GET', '/healthz', { root: '', auth: null })).status, 200);
	});

	test('of many clients at once are all answered', async () => {
		const answers = await Promise.all(Array.from({ length: 100 }, () => client.sip.domains.list({ limit: 1 })));

		assert.equal(answers.length, 100);
	});
});

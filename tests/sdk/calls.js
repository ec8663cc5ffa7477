'use strict';
/* sip-and-rest.md §1.6, §1.10: calls that came in over SIP, and Notifications */
const assert = require('node:assert/strict');
const dgram = require('node:dgram');
const http = require('node:http');
const { describe, test } = require('./record');
const { ACCOUNT, client, made, makeAcl, makeDomain, raw, refused, unique, until } = require('./client');
const { SipPhone } = require('./sip_phone');

/* Answers, and then waits: the end is the test's. */
const LONG = '<Response><Say>One</Say><Pause length="30"/></Response>';
const WARNED = '<Response><Nonsense/><Say>One</Say><Pause length="30"/></Response>';

/* A web application that answers each path with a document, and remembers what it was asked. */
async function webApplication(t, documents) {
	const asked = [];
	const server = http.createServer((request, response) => {
		let body = '';
		request.on('data', (data) => { body += data; });
		request.on('end', () => {
			const path = request.url.split('?')[0];
			asked.push({ path, form: Object.fromEntries(new URLSearchParams(body)) });
			response.writeHead(200, { 'Content-Type': 'text/xml' });
			response.end(documents[path] || LONG);
		});
	});
	await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
	t.after(() => server.close());
	return { url: `http://127.0.0.1:${server.address().port}`, asked, wait: (path) => until(() => asked.find((a) => a.path === path), `a request of ${path}`) };
}

/* A SIP party that is busy: its port. */
async function busyParty(t) {
	const socket = dgram.createSocket('udp4');

	socket.on('message', (data, peer) => {
		const lines = data.toString().split('\r\n'), kept = lines.filter((l) => /^(Via|From|To|Call-ID|CSeq):/i.test(l));

		if (lines[0].startsWith('INVITE '))
			socket.send(`SIP/2.0 486 Busy Here\r\n${kept.map((l) => (/^To:/i.test(l) ? `${l};tag=busy` : l)).join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, peer.port, peer.address);
	});
	await new Promise((resolve) => { socket.bind(0, '127.0.0.1', resolve); });
	t.after(() => socket.close());
	return socket.address().port;
}

/* A domain that lets 127.0.0.1 call. */
async function callable(t, properties) {
	const domain = await makeDomain(t, properties), acl = await makeAcl(t);
	await client.sip.ipAccessControlLists(acl.sid).ipAddresses.create({ friendlyName: 'here', ipAddress: '127.0.0.1' });
	const { ipAccessControlListMappings } = client.sip.domains(domain.sid).auth.calls;
	await ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid });
	t.after(() => ipAccessControlListMappings(acl.sid).remove().catch(() => {}));
	return domain;
}

async function liveCall(t, documents = {}, user = '100') {
	const web = await webApplication(t, documents);
	const domain = await callable(t, { voiceUrl: `${web.url}/voice` });
	const phone = await SipPhone.call(domain.domainName, { user });
	t.after(() => phone.close());
	assert.equal(phone.status, 200);
	const { form } = await web.wait('/voice');
	/* The row comes a moment after the call. */
	await until(async () => (await raw('GET', `/Calls/${form.CallSid}.json`)).json.status === 'in-progress', 'the row of the live call');
	return { web, domain, phone, sid: form.CallSid };
}

describe('calls', () => {
	test('are fetched with all of their properties, live and ended', async (t) => {
		const { domain, phone, sid } = await liveCall(t);
		const live = await client.calls(sid).fetch();

		assert.equal(live.sid, sid);
		assert.equal(live.accountSid, ACCOUNT);
		assert.equal(live.direction, 'inbound');
		assert.equal(live.to, `sip:100@${domain.domainName}`);
		assert.match(live.from, /^sip:sdk@127\.0\.0\.1/);
		assert.equal(live.apiVersion, '2010-04-01');
		assert.equal(live.parentCallSid, null);
		assert.ok(Math.abs(live.startTime - Date.now()) < 60000);
		assert.equal(live.endTime, null);
		assert.equal(live.duration, null);
		assert.equal(live.uri, `/2010-04-01/Accounts/${ACCOUNT}/Calls/${sid}.json`);
		assert.equal(live.subresourceUris.notifications, `/2010-04-01/Accounts/${ACCOUNT}/Calls/${sid}/Notifications.json`);
		phone.hangUp();
		const ended = await until(async () => {
			const c = await client.calls(sid).fetch();
			return c.status === 'completed' && c;
		}, 'the end in the row');
		assert.match(ended.duration, /^\d+$/);
		assert.ok(ended.endTime >= ended.startTime);
		phone.ended = true;
	});

	test('that are live are ended by Status=completed, and shown so', async (t) => {
		const { phone, sid } = await liveCall(t);
		const updated = await client.calls(sid).update({ status: 'completed' });

		assert.equal(updated.status, 'completed');
		await until(() => phone.ended, 'BYE');
		await refused(client.calls(sid).update({ status: 'completed' }), 21220, 400, /^Call is not in-progress\. Cannot redirect\.$/);
	});

	test('that are live take a new URL', async (t) => {
		const { web, phone, sid } = await liveCall(t, { '/other': '<Response><Hangup/></Response>' });
		const updated = await client.calls(sid).update({ url: `${web.url}/other`, method: 'POST' });

		assert.equal(updated.sid, sid);
		assert.equal((await web.wait('/other')).form.CallSid, sid);
		await until(() => phone.ended, 'BYE');
	});

	test('that are live take a document', async (t) => {
		const { phone, sid } = await liveCall(t);

		await client.calls(sid).update({ twiml: '<Response><Hangup/></Response>' });
		await until(() => phone.ended, 'BYE');
	});

	test('refuse an update that cannot be, and go on', async (t) => {
		const { phone, sid } = await liveCall(t);

		for (const [properties, code, pattern] of [
			[{ status: 'busy' }, 20422, /Status/], [{ url: '/x' }, 21205, /Url/], [{ url: 'http://a.b/', method: 'PUT' }, 21209, /Method/],
			[{ twiml: `<Response>${' '.repeat(4000)}</Response>` }, 32018, /Twiml/], [{ twiml: '<Response><Say>' }, 12100, /./],
			[{ twiml: '<Response><Gather action="/x"/></Response>' }, 15004, /./], [{ timeLimit: 0 }, 20422, /TimeLimit/],
			[{ statusCallback: 'x' }, 21205, /StatusCallback/], [{ fallbackUrl: 'x' }, 21205, /FallbackUrl/]])
			await refused(client.calls(sid).update(properties), code, 400, pattern);
		await refused(client.calls(sid).remove(), 20009, 409);
		assert.equal((await client.calls(sid).fetch()).status, 'in-progress');
		assert.ok(!phone.ended);
	});

	test('show what they asked the web application and what it answered', async (t) => {
		const { web, domain, phone, sid } = await liveCall(t, { '/other': '<Response><Hangup/></Response>' });

		await client.calls(sid).update({ url: `${web.url}/other`, method: 'GET' });
		await until(() => phone.ended, 'BYE');
		const events = await until(async () => {
			const list = await client.calls(sid).events.list();
			return list.length === 2 && list;
		}, 'two events');
		const [first, second] = events;
		assert.equal(first.request.method, 'POST');
		assert.equal(first.request.url, `${web.url}/voice`);
		assert.equal(first.request.parameters.CallSid, sid);
		assert.equal(first.request.parameters.To, `sip:100@${domain.domainName}`);
		assert.equal(first.response.response_code, 200);
		assert.equal(first.response.content_type, 'text/xml');
		assert.equal(first.response.response_body, LONG);
		assert.ok(Number.isInteger(first.response.request_duration));
		assert.ok(Math.abs(new Date(first.response.date_created) - Date.now()) < 60000);
		assert.deepEqual(first.response.validation_errors, []);
		assert.equal(second.request.method, 'GET');
		assert.ok(second.request.url.startsWith(`${web.url}/other`));
		assert.ok((await client.calls(sid).events.page({ pageSize: 1 })).getNextPageUrl);
		await until(async () => (await client.calls(sid).fetch()).status === 'completed', 'the end');
		assert.deepEqual((await raw('GET', `/Calls/${sid}/Media.json`)).json.media, [], 'no leg of it was secure');
		assert.ok(await client.calls(sid).remove());
		assert.equal((await raw('GET', `/Calls/${sid}/Events.json`)).status, 404);
		assert.equal((await raw('GET', `/Calls/${sid}/Media.json`)).status, 404);
	});

	test('are created, dialled and told of, with all of their parameters', async (t) => {
		const web = await webApplication(t, {}), port = await busyParty(t), from = 'sdk-caller', to = `sip:busy@127.0.0.1:${port}`;
		const call = await client.calls.create({
			to: `${to}?X-Order=1`, from, url: `${web.url}/voice`, method: 'GET', fallbackUrl: `${web.url}/fallback`, fallbackMethod: 'POST',
			statusCallback: `${web.url}/status`, statusCallbackMethod: 'POST', statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
			sendDigits: '1w2#', machineDetection: 'Enable', machineDetectionTimeout: 30, machineDetectionSpeechThreshold: 2400,
			machineDetectionSpeechEndThreshold: 1200, machineDetectionSilenceTimeout: 5000, asyncAmd: 'true', asyncAmdStatusCallback: 'http://127.0.0.1:1/amd',
			asyncAmdStatusCallbackMethod: 'GET', callReason: 'Delivery', timeout: 30, timeLimit: 600, sipAuthUsername: 'u', sipAuthPassword: 'p', callerId: 'other-caller',
		});

		assert.match(call.sid, /^CA[0-9a-f]{32}$/);
		assert.equal(call.status, 'queued');
		assert.equal(call.direction, 'outbound-api');
		assert.equal(call.to, `${to}?X-Order=1`);
		assert.equal(call.from, 'other-caller');
		const ended = await until(async () => {
			const c = await client.calls(call.sid).fetch();
			return c.status === 'busy' && c;
		}, 'busy');
		assert.ok(ended.endTime);
		await until(() => web.asked.filter((a) => a.path === '/status').length === 2, 'two callbacks');
		assert.deepEqual(web.asked.map((a) => [a.form.CallStatus, a.form.SequenceNumber, a.form.CallSid]), [['initiated', '0', call.sid], ['busy', '1', call.sid]]);
		assert.equal(web.asked[1].form.SipResponseCode, '486');
		const [audited] = (await raw('GET', `/AuditEvents.json?ResourceSid=${call.sid}`)).json.audit_events;
		assert.equal(audited.changes.SipAuthUsername, 'u');
		assert.equal(audited.changes.SipAuthPassword, '***');
	});

	for (const [what, values, code] of [
		['detection of what is none', { machineDetection: 'Maybe' }, 21234], ['too short a detection', { machineDetectionTimeout: 2 }, 21234],
		['too long a detection', { machineDetectionTimeout: 61 }, 21234], ['a speech threshold', { machineDetectionSpeechThreshold: 999 }, 21234],
		['an end of speech', { machineDetectionSpeechEndThreshold: 5001 }, 21234], ['a silence', { machineDetectionSilenceTimeout: 1999 }, 21234],
		['asyncAmd', { asyncAmd: 'perhaps' }, 21234], ['a reason', { callReason: 'x'.repeat(51) }, 20422],
	])
		test(`refuse ${what} that cannot be`, () => refused(client.calls.create({ to: 'sip:a@192.0.2.1', from: 'b', twiml: LONG, ...values }), code, 400));

	test('of an application take its addresses', async (t) => {
		const web = await webApplication(t, {}), port = await busyParty(t);
		const app = await made(t, client.applications, { friendlyName: unique(), voiceUrl: `${web.url}/app`, statusCallback: `${web.url}/app-status` });

		await client.calls.create({ to: `sip:busy@127.0.0.1:${port}`, from: 'sdk', applicationSid: app.sid, statusCallback: `${web.url}/own` });
		await web.wait('/app-status');
		assert.ok(!web.asked.some((a) => a.path === '/own'));
		await refused(client.calls.create({ to: 'sip:a@b.c', from: 'sdk', applicationSid: `AP${'0'.repeat(32)}` }), 21218, 400, /ApplicationSid/);
	});

	test('are not created twice by one Idempotency-Key', async (t) => {
		const web = await webApplication(t, {}), port = await busyParty(t), key = unique();
		const body = new URLSearchParams({ To: `sip:busy@127.0.0.1:${port}`, From: 'sdk', Url: `${web.url}/v`, StatusCallback: `${web.url}/status` }).toString();
		const post = () => raw('POST', '/Calls.json', { body, headers: { 'Idempotency-Key': key } });
		const first = await post(), second = await post();

		assert.equal(first.status, 201);
		assert.equal(second.json.sid, first.json.sid);
		await until(async () => (await client.calls(first.json.sid).fetch()).status === 'busy', 'busy');
		await web.wait('/status');
		assert.equal(web.asked.length, 1);
	});

	test('that nobody made are not found', async () => {
		const call = client.calls(`CA${'0'.repeat(32)}`);

		await refused(call.fetch(), 20404, 404);
		await refused(call.update({ status: 'completed' }), 20404, 404);
		await refused(call.remove(), 20404, 404);
		assert.equal((await raw('GET', `/Calls/CA${'0'.repeat(32)}/Notifications.json`)).status, 404);
	});

	test('that ended can be deleted', async (t) => {
		const { phone, sid } = await liveCall(t);

		await client.calls(sid).update({ status: 'completed' });
		await until(() => phone.ended, 'BYE');
		assert.equal(await client.calls(sid).remove(), true);
		await refused(client.calls(sid).fetch(), 20404, 404);
	});

	test('are listed newest first, and by each filter', async (t) => {
		const user = unique('u');
		const first = await liveCall(t, {}, user), second = await liveCall(t, {}, user);
		const sids = async (filter) => (await client.calls.list({ limit: 200, ...filter })).map((c) => c.sid);
		const to = `sip:${user}@${first.domain.domainName}`;
		const now = new Date(), hour = 3600000;

		assert.deepEqual((await sids({})).filter((s) => [first.sid, second.sid].includes(s)), [second.sid, first.sid]);
		assert.deepEqual(await sids({ to }), [first.sid]);
		assert.ok((await sids({ from: (await client.calls(first.sid).fetch()).from })).includes(first.sid));
		assert.ok((await sids({ status: 'in-progress' })).includes(first.sid));
		assert.deepEqual(await sids({ status: 'completed', to }), []);
		assert.deepEqual(await sids({ to, startTimeAfter: new Date(now - hour) }), [first.sid]);
		assert.deepEqual(await sids({ to, startTimeBefore: new Date(now - hour) }), []);
		assert.deepEqual(await sids({ to, startTimeAfter: new Date(+now + hour) }), []);
		assert.deepEqual(await sids({ to, startTime: (await client.calls(first.sid).fetch()).startTime }), [first.sid]);
		assert.deepEqual(await sids({ to, endTimeAfter: new Date(now - hour) }), [], 'a live call has no end');
		assert.deepEqual(await sids({ parentCallSid: first.sid }), []);
		const day = (await client.calls(first.sid).fetch()).startTime.toISOString().slice(0, 10);
		const query = (q) => raw('GET', `/Calls.json?To=${encodeURIComponent(to)}&${q}`);
		assert.equal((await query(`StartTime=${day}`)).json.calls.length, 1);
		assert.equal((await query(`StartTime>=${day}`)).json.calls.length, 1);
		assert.equal((await query(`StartTime<=${day}`)).json.calls.length, 0, '"<" is strictly before');
		assert.equal((await query('StartTime=1999-01-01')).json.calls.length, 0);
		for (const bad of ['StartTime=soon', 'EndTime%3E=2026-13-01', 'Status=gone', 'ParentCallSid=x'])
			assert.equal((await query(bad)).status, 400, bad);
	});
});

describe('notifications', () => {
	const { notifications } = client.api.v2010.accounts(ACCOUNT);

	test('of a call are listed for it and for the account, and fetched with details', async (t) => {
		const { sid } = await liveCall(t, { '/voice': WARNED });
		const own = await until(async () => {
			const rows = await client.calls(sid).notifications.list();
			return rows.length && rows;
		}, 'the warning');

		assert.equal(own.length, 1);
		const [n] = own;
		assert.match(n.sid, /^NO[0-9a-f]{32}$/);
		assert.equal(n.callSid, sid);
		assert.equal(n.accountSid, ACCOUNT);
		assert.equal(n.log, '1');
		assert.equal(n.errorCode, '12200');
		assert.equal(n.moreInfo, 'https://www.twilio.com/docs/errors/12200');
		assert.match(n.messageText, /^Msg=[^ ]+&ErrorCode=12200&LogLevel=WARN/);
		assert.ok(n.messageDate instanceof Date);
		assert.equal(n.uri, `/2010-04-01/Accounts/${ACCOUNT}/Calls/${sid}/Notifications/${n.sid}.json`);
		const detail = await client.calls(sid).notifications(n.sid).fetch();
		assert.equal(detail.sid, n.sid);
		assert.ok('responseBody' in detail);
		const listed = (await raw('GET', `/Calls/${sid}/Notifications.json`)).json.notifications[0];
		assert.ok(!('response_body' in listed));
		const shown = (await raw('GET', `/Notifications/${n.sid}.json`)).json;
		assert.ok('response_body' in shown && 'request_variables' in shown && 'response_headers' in shown);
		assert.equal(shown.uri, `/2010-04-01/Accounts/${ACCOUNT}/Notifications/${n.sid}.json`);
		assert.ok((await notifications.list({ limit: 100 })).some((x) => x.sid === n.sid));
	});

	test('are filtered by level and date', async (t) => {
		const { sid } = await liveCall(t, { '/voice': WARNED });
		const [n] = await until(async () => {
			const rows = await client.calls(sid).notifications.list();
			return rows.length && rows;
		}, 'the warning');
		const own = async (filter) => (await client.calls(sid).notifications.list(filter)).length;
		const day = 86400000;

		assert.equal(await own({ log: 1 }), 1);
		assert.equal(await own({ log: 0 }), 0);
		assert.equal(await own({ messageDate: n.messageDate }), 1);
		assert.equal(await own({ messageDateAfter: n.messageDate }), 1);
		assert.equal(await own({ messageDateBefore: n.messageDate }), 0);
		assert.equal(await own({ messageDate: new Date(n.messageDate - day) }), 0);
		assert.equal((await raw('GET', '/Notifications.json?Log=2')).status, 400);
	});

	test('of a refused attempt have no call', async (t) => {
		const domain = await makeDomain(t);
		const phone = await SipPhone.call(domain.domainName);

		t.after(() => phone.close());
		assert.equal(phone.status, 403);
		const n = await until(async () => (await notifications.list({ limit: 50 }))
			.find((x) => x.callSid === null && x.messageText.includes(domain.domainName)), 'the notification');
		assert.equal(n.log, '0');
		assert.equal((await notifications(n.sid).fetch()).sid, n.sid);
	});

	test('of nobody are not found', async () => {
		await refused(notifications(`NO${'0'.repeat(32)}`).fetch(), 20404, 404);
	});
});

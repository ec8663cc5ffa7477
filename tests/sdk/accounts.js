'use strict';
/* sip-and-rest.md §1.10: accounts, keys, tokens, applications, numbers, caller IDs, balance, usage */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { ACCOUNT, TOKEN, client, connect, made, name, raw, refused, unique } = require('./client');

/* Accounts are never deleted: a test closes its own. */
async function subaccount(t, properties = {}) {
	const a = await client.api.v2010.accounts.create(properties);
	t.after(() => client.api.v2010.accounts(a.sid).update({ status: 'closed' }));
	return a;
}

const number = () => `+1${Math.floor(1e9 + Math.random() * 9e9)}`;

describe('accounts', () => {
	test('are made, fetched, renamed, listed and filtered', async (t) => {
		const friendlyName = unique(), a = await subaccount(t, { friendlyName });

		assert.match(a.sid, /^AC[0-9a-f]{32}$/);
		assert.match(a.authToken, /^[0-9a-f]{32}$/);
		assert.deepEqual([a.ownerAccountSid, a.status, a.type, a.friendlyName, a.uri],
			[ACCOUNT, 'active', 'Full', friendlyName, `/2010-04-01/Accounts/${a.sid}.json`]);
		assert.equal(a.subresourceUris.calls, `/2010-04-01/Accounts/${a.sid}/Calls.json`);
		const renamed = await client.api.v2010.accounts(a.sid).update({ friendlyName: `${friendlyName}2` });
		assert.equal(renamed.friendlyName, `${friendlyName}2`);
		assert.deepEqual((await client.api.v2010.accounts.list({ friendlyName: `${friendlyName}2` })).map((x) => x.sid), [a.sid]);
		assert.deepEqual(await client.api.v2010.accounts.list({ friendlyName: `${friendlyName}2`, status: 'closed' }), []);
		assert.equal((await client.api.v2010.accounts(ACCOUNT).fetch()).ownerAccountSid, ACCOUNT);
	});

	test('without a name have one that says when they were made', async (t) => {
		assert.match((await subaccount(t)).friendlyName, /^SubAccount Created at \d{4}-\d\d-\d\d \d\d:\d\d [ap]m$/);
	});

	test('act for themselves with their own token, and cannot have subaccounts', async (t) => {
		const a = await subaccount(t), own = connect(a.sid, a.authToken);

		assert.deepEqual((await own.api.v2010.accounts.list()).map((x) => x.sid), [a.sid]);
		assert.deepEqual(await own.sip.domains.list(), []);
		await refused(own.api.v2010.accounts.create({ friendlyName: 'x' }), 21101, 400);
		await refused(own.api.v2010.accounts(ACCOUNT).fetch(), 20404, 404);
		await refused(own.api.v2010.accounts(a.sid).update({ status: 'suspended' }), 20006, 403, /owner/);
	});

	test('that are suspended or closed are refused at once, which the owner may end for one of them', async (t) => {
		const a = await subaccount(t), own = connect(a.sid, a.authToken), account = client.api.v2010.accounts(a.sid);

		await own.sip.domains.list();
		await account.update({ status: 'suspended' });
		await refused(own.sip.domains.list(), 20005, 403);
		assert.deepEqual(await connect(ACCOUNT, TOKEN, { accountSid: a.sid }).sip.domains.list(), []);
		await account.update({ status: 'active' });
		await own.sip.domains.list();
		await account.update({ status: 'closed' });
		await refused(own.sip.domains.list(), 20005, 403);
		await refused(account.update({ status: 'active' }), 20409, 409, /final/);
		await refused(client.api.v2010.accounts(ACCOUNT).update({ status: 'closed' }), 20006, 403);
		await refused(account.update({ status: 'gone' }), 20422, 400, /Status/);
	});
});

describe('API keys', () => {
	for (const list of ['newKeys', 'newSigningKeys']) {
		test(`made by ${list} show their secret once, and open all but accounts and keys`, async (t) => {
			const friendlyName = unique(), key = await client.api.v2010.accounts(ACCOUNT)[list].create({ friendlyName });
			const shown = list === 'newKeys' ? client.keys : client.signingKeys;
			t.after(() => shown(key.sid).remove().catch(() => {}));

			assert.match(key.sid, /^SK[0-9a-f]{32}$/);
			assert.match(key.secret, /^[0-9a-f]{32}$/);
			const { json } = await raw('GET', `/${list === 'newKeys' ? 'Keys' : 'SigningKeys'}/${key.sid}.json`);
			assert.deepEqual(Object.keys(json).sort(), ['date_created', 'date_updated', 'friendly_name', 'sid']);
			assert.equal((await shown(key.sid).fetch()).friendlyName, friendlyName);
			assert.equal((await shown(key.sid).update({ friendlyName: `${friendlyName}2` })).friendlyName, `${friendlyName}2`);
			assert.ok((await shown.list()).some((k) => k.sid === key.sid));

			const own = connect(key.sid, key.secret, { accountSid: ACCOUNT });
			const d = await own.sip.domains.create({ domainName: name() });
			await own.sip.domains(d.sid).remove();
			await refused(own.keys.list(), 20006, 403);
			await refused(own.api.v2010.accounts.list(), 20006, 403);
			await refused(connect(key.sid, 'wrong', { accountSid: ACCOUNT }).sip.domains.list(), 20003, 401);
			await shown(key.sid).remove();
			await refused(own.sip.domains.list(), 20003, 401);
		});
	}
});

describe('auth tokens', () => {
	test('are rotated: a secondary one beside the first, which it replaces', async (t) => {
		const a = await subaccount(t), own = connect(a.sid, a.authToken);
		const second = await own.accounts.v1.secondaryAuthToken().create();
		const next = connect(a.sid, second.secondaryAuthToken);

		await refused(own.accounts.v1.secondaryAuthToken().create(), 20409, 409);
		await own.sip.domains.list();
		await next.sip.domains.list();
		assert.equal((await next.accounts.v1.authTokenPromotion().update()).authToken, second.secondaryAuthToken);
		await next.sip.domains.list();
		await refused(own.sip.domains.list(), 20003, 401);
		await refused(next.accounts.v1.authTokenPromotion().update(), 20404, 404);
		await next.accounts.v1.secondaryAuthToken().create();
		assert.equal(await next.accounts.v1.secondaryAuthToken().remove(), true);
		await refused(next.accounts.v1.secondaryAuthToken().remove(), 20404, 404);
	});
});

describe('applications, numbers and caller IDs', () => {
	test('applications keep what they are given', async (t) => {
		const friendlyName = unique();
		const a = await made(t, client.applications, { friendlyName, voiceUrl: 'https://example.com/v', voiceMethod: 'GET', statusCallback: 'https://example.com/s' });

		assert.deepEqual([a.friendlyName, a.voiceUrl, a.voiceMethod, a.statusCallback, a.smsMethod, a.voiceCallerIdLookup],
			[friendlyName, 'https://example.com/v', 'GET', 'https://example.com/s', 'POST', false]);
		assert.equal((await client.applications(a.sid).update({ voiceUrl: '' })).voiceUrl, null);
		assert.deepEqual((await client.applications.list({ friendlyName })).map((x) => x.sid), [a.sid]);
		assert.equal((await client.applications(a.sid).fetch()).apiVersion, '2010-04-01');
		await refused(client.applications(a.sid).update({ voiceUrl: 'ftp://x' }), 21205, 400, /VoiceUrl/);
	});

	test('numbers are in E.164, one account\'s, and go to another of the same owner', async (t) => {
		const phoneNumber = number(), sub = await subaccount(t);
		const app = await made(t, client.applications, { friendlyName: unique() });
		const n = await made(t, client.incomingPhoneNumbers, { phoneNumber, voiceApplicationSid: app.sid });

		assert.deepEqual([n.phoneNumber, n.friendlyName, n.voiceApplicationSid, n.capabilities.voice, n.capabilities.sms],
			[phoneNumber, phoneNumber, app.sid, true, false]);
		assert.deepEqual((await client.incomingPhoneNumbers.list({ phoneNumber: `${phoneNumber.slice(0, 6)}*` })).map((x) => x.sid), [n.sid]);
		assert.equal((await client.incomingPhoneNumbers(n.sid).fetch()).statusCallbackMethod, 'POST');
		await refused(client.incomingPhoneNumbers.create({ phoneNumber }), 20409, 409);
		await refused(client.incomingPhoneNumbers.create({ phoneNumber: '12' }), 21211, 400, /E\.164/);
		await refused(client.incomingPhoneNumbers.create({ phoneNumber: number(), voiceApplicationSid: `AP${'0'.repeat(32)}` }), 21218, 400);
		const moved = await client.incomingPhoneNumbers(n.sid).update({ accountSid: sub.sid });
		assert.deepEqual([moved.accountSid, moved.voiceApplicationSid], [sub.sid, null]);
		await refused(client.incomingPhoneNumbers(n.sid).fetch(), 20404, 404);
		await connect(ACCOUNT, TOKEN, { accountSid: sub.sid }).incomingPhoneNumbers(n.sid).remove();
	});

	test('caller IDs are valid at once', async (t) => {
		const phoneNumber = number(), request = await client.validationRequests.create({ phoneNumber, friendlyName: 'Desk' });

		assert.deepEqual([request.phoneNumber, request.friendlyName, request.accountSid, request.callSid], [phoneNumber, 'Desk', ACCOUNT, null]);
		assert.match(request.validationCode, /^\d{6}$/);
		const [id] = await client.outgoingCallerIds.list({ phoneNumber });
		t.after(() => client.outgoingCallerIds(id.sid).remove());
		assert.equal((await client.outgoingCallerIds(id.sid).update({ friendlyName: 'Door' })).friendlyName, 'Door');
		assert.equal((await client.outgoingCallerIds(id.sid).fetch()).phoneNumber, phoneNumber);
		await refused(client.validationRequests.create({ phoneNumber }), 20409, 409);
	});

	test('the balance is nothing, usage counts calls', async () => {
		const balance = await client.balance.fetch();

		assert.deepEqual([balance.accountSid, balance.balance, balance.currency], [ACCOUNT, '0.00', 'USD']);
		assert.deepEqual((await client.usage.records.list()).map((r) => [r.category, Number(r.price)]), [['calls', 0], ['calls-inbound', 0], ['calls-outbound', 0]]);
	});
});

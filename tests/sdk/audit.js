'use strict';
/* Each operation that changes something, of the served document, leaves one row of the audit: who, from where, what; and no secret. */
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { describe, test } = require('./record');
const { ACCOUNT, PASSWORD, TOKEN, conformance, name, raw, unique, until } = require('./client');
const { register } = require('./registrations');

const SECRET = `Hidden1${unique('Secret')}`;
const number = () => `+1${crypto.randomInt(2_000_000_000, 9_999_999_999)}`;

/*
 * The operations in an order in which each can be done: [id, method, path below the account, parameters, SID that is changed].
 * c holds the SIDs that earlier ones answered with, by the operation's id. A SID that is not said is the answer's.
 */
const STEPS = [
	['CreateSipDomain', 'POST', '/SIP/Domains', { DomainName: name(), SipRegistration: 'true', VoiceUrl: `https://me:${SECRET}@example.com/voice` }],
	['UpdateSipDomain', 'POST', (c) => `/SIP/Domains/${c.CreateSipDomain}`, { FriendlyName: 'audited' }],
	['CreateSipIpAccessControlList', 'POST', '/SIP/IpAccessControlLists', { FriendlyName: unique() }],
	['UpdateSipIpAccessControlList', 'POST', (c) => `/SIP/IpAccessControlLists/${c.CreateSipIpAccessControlList}`, { FriendlyName: unique() }],
	['CreateSipIpAddress', 'POST', (c) => `/SIP/IpAccessControlLists/${c.CreateSipIpAccessControlList}/IpAddresses`, { FriendlyName: 'x', IpAddress: '198.51.100.7' }],
	['UpdateSipIpAddress', 'POST', (c) => `/SIP/IpAccessControlLists/${c.CreateSipIpAccessControlList}/IpAddresses/${c.CreateSipIpAddress}`, { IpAddress: '198.51.100.8' }],
	['CreateSipCredentialList', 'POST', '/SIP/CredentialLists', { FriendlyName: unique() }],
	['UpdateSipCredentialList', 'POST', (c) => `/SIP/CredentialLists/${c.CreateSipCredentialList}`, { FriendlyName: unique() }],
	['CreateSipCredential', 'POST', (c) => `/SIP/CredentialLists/${c.CreateSipCredentialList}/Credentials`, { Username: 'anna', Password: PASSWORD }],
	['UpdateSipCredential', 'POST', (c) => `/SIP/CredentialLists/${c.CreateSipCredentialList}/Credentials/${c.CreateSipCredential}`, { Password: PASSWORD }],
	...[
		['SipAuthCallsIpAccessControlListMapping', 'Auth/Calls/IpAccessControlListMappings', 'IpAccessControlList'],
		['SipAuthCallsCredentialListMapping', 'Auth/Calls/CredentialListMappings', 'CredentialList'],
		['SipIpAccessControlListMapping', 'IpAccessControlListMappings', 'IpAccessControlList'],
		['SipCredentialListMapping', 'CredentialListMappings', 'CredentialList'],
		['SipAuthRegistrationsCredentialListMapping', 'Auth/Registrations/CredentialListMappings', 'CredentialList'],
	].flatMap(([what, path, list]) => {
		const sid = (c) => c[`CreateSip${list}`];
		/* The last one stays: a phone registers by it. What Auth/Calls and its old name map is one thing. */
		return [
			[`Create${what}`, 'POST', (c) => `/SIP/Domains/${c.CreateSipDomain}/${path}`, (c) => ({ [`${list}Sid`]: sid(c) }), sid],
			...(what.includes('Registrations') ? [] : [[`Delete${what}`, 'DELETE', (c) => `/SIP/Domains/${c.CreateSipDomain}/${path}/${sid(c)}`, {}, sid]]),
		];
	}),
	['DeleteSipRegistration', 'DELETE', (c) => `/SIP/Domains/${c.CreateSipDomain}/Registrations/${c.registration}`, {}, (c) => c.registration],
	['DeleteSipAuthRegistrationsCredentialListMapping', 'DELETE',
		(c) => `/SIP/Domains/${c.CreateSipDomain}/Auth/Registrations/CredentialListMappings/${c.CreateSipCredentialList}`, {}, (c) => c.CreateSipCredentialList],
	['CreateSipGateway', 'POST', '/SIP/Gateways', { Host: '127.0.0.1:9', Username: 'me', Password: SECRET }],
	['UpdateSipGateway', 'POST', (c) => `/SIP/Gateways/${c.CreateSipGateway}`, { Password: SECRET }],
	['DeleteSipGateway', 'DELETE', (c) => `/SIP/Gateways/${c.CreateSipGateway}`],
	['CreateSipDestination', 'POST', '/SIP/Destinations', { Target: '+49' }],
	['UpdateSipDestination', 'POST', (c) => `/SIP/Destinations/${c.CreateSipDestination}`, { FriendlyName: 'y' }],
	['DeleteSipDestination', 'DELETE', (c) => `/SIP/Destinations/${c.CreateSipDestination}`],
	['CreateSipClientCertificate', 'POST', (c) => `/SIP/Domains/${c.CreateSipDomain}/Auth/Calls/ClientCertificates`, { Fingerprint: 'cd'.repeat(32) }],
	['UpdateSipClientCertificate', 'POST', (c) => `/SIP/Domains/${c.CreateSipDomain}/Auth/Calls/ClientCertificates/${c.CreateSipClientCertificate}`, { FriendlyName: 'y' }],
	['DeleteSipClientCertificate', 'DELETE', (c) => `/SIP/Domains/${c.CreateSipDomain}/Auth/Calls/ClientCertificates/${c.CreateSipClientCertificate}`],
	['CreateApplication', 'POST', '/Applications', { FriendlyName: 'x', VoiceUrl: `http://me:${SECRET}@example.com/?a=b` }],
	['UpdateApplication', 'POST', (c) => `/Applications/${c.CreateApplication}`, { FriendlyName: 'y' }],
	['DeleteApplication', 'DELETE', (c) => `/Applications/${c.CreateApplication}`],
	['CreateIncomingPhoneNumber', 'POST', '/IncomingPhoneNumbers', { PhoneNumber: number() }],
	['UpdateIncomingPhoneNumber', 'POST', (c) => `/IncomingPhoneNumbers/${c.CreateIncomingPhoneNumber}`, { FriendlyName: 'y' }],
	['DeleteIncomingPhoneNumber', 'DELETE', (c) => `/IncomingPhoneNumbers/${c.CreateIncomingPhoneNumber}`],
	['CreateValidationRequest', 'POST', '/OutgoingCallerIds', { PhoneNumber: number() }, (c) => c.callerId],
	['UpdateOutgoingCallerId', 'POST', (c) => `/OutgoingCallerIds/${c.callerId}`, { FriendlyName: 'y' }],
	['DeleteOutgoingCallerId', 'DELETE', (c) => `/OutgoingCallerIds/${c.callerId}`],
	['CreateNewKey', 'POST', '/Keys', { FriendlyName: 'x' }],
	['UpdateKey', 'POST', (c) => `/Keys/${c.CreateNewKey}`, { FriendlyName: 'y' }],
	['DeleteKey', 'DELETE', (c) => `/Keys/${c.CreateNewKey}`],
	['CreateNewSigningKey', 'POST', '/SigningKeys', { FriendlyName: 'x' }],
	['UpdateSigningKey', 'POST', (c) => `/SigningKeys/${c.CreateNewSigningKey}`, { FriendlyName: 'y' }],
	['DeleteSigningKey', 'DELETE', (c) => `/SigningKeys/${c.CreateNewSigningKey}`],
	['CreateCall', 'POST', '/Calls', { To: 'sip:nobody@127.0.0.1:9', From: 'me', Url: `http://me:${SECRET}@127.0.0.1:9/`, SipAuthUsername: 'me', SipAuthPassword: SECRET }],
	['UpdateCall', 'POST', (c) => `/Calls/${c.CreateCall}`, { Status: 'completed' }],
	['DeleteCall', 'DELETE', (c) => `/Calls/${c.CreateCall}`],
	['DeleteSipCredential', 'DELETE', (c) => `/SIP/CredentialLists/${c.CreateSipCredentialList}/Credentials/${c.CreateSipCredential}`],
	['DeleteSipCredentialList', 'DELETE', (c) => `/SIP/CredentialLists/${c.CreateSipCredentialList}`],
	['DeleteSipIpAddress', 'DELETE', (c) => `/SIP/IpAccessControlLists/${c.CreateSipIpAccessControlList}/IpAddresses/${c.CreateSipIpAddress}`],
	['DeleteSipIpAccessControlList', 'DELETE', (c) => `/SIP/IpAccessControlLists/${c.CreateSipIpAccessControlList}`],
	['DeleteSipDomain', 'DELETE', (c) => `/SIP/Domains/${c.CreateSipDomain}`],
	['CreateSecondaryAuthToken', 'POST', '/v1/AuthTokens/Secondary', {}, (c) => c.account],
	['DeleteSecondaryAuthToken', 'DELETE', '/v1/AuthTokens/Secondary', {}, (c) => c.account],
	['CreateSecondaryAuthToken', 'POST', '/v1/AuthTokens/Secondary', {}, (c) => c.account],
	['UpdateAuthTokenPromotion', 'POST', '/v1/AuthTokens/Promote', {}, (c) => c.account],
];

const ACTIONS = { POST: (id) => (/^Update/.test(id) ? 'update' : 'create'), DELETE: () => 'delete' };
const form = (parameters) => new URLSearchParams(parameters).toString();

/* What must be there before a step, and what later ones need of it. */
const BEFORE = {
	DeleteSipRegistration: async (t, c, ask) => {
		await register(t, c.domainName, 'anna');
		[{ sid: c.registration }] = (await ask('GET', `/SIP/Domains/${c.CreateSipDomain}/Registrations`)).json.registrations;
	},
	DeleteCall: (t, c, ask) => until(async () => !['queued', 'initiated', 'ringing', 'in-progress'].includes((await ask('GET', `/Calls/${c.CreateCall}`)).json.status), 'the end of the call'),
};

describe('the audit', () => {
	test('has one row of each change of each resource, with who, from where and what, and never a secret', async (t) => {
		const { json: account } = await raw('POST', '.json', { root: '/2010-04-01/Accounts', body: form({ FriendlyName: 'audited' }) });
		const c = { account: account.sid }, secrets = new Set([SECRET, PASSWORD, account.auth_token, TOKEN]), seen = new Set(), done = new Set();
		let token = account.auth_token;

		t.after(() => raw('POST', `/${account.sid}.json`, { root: '/2010-04-01/Accounts', body: 'Status=closed' }));
		const ask = (method, path, body) => raw(method, path.startsWith('/v1') ? path : `${path}.json`, {
			root: path.startsWith('/v1') ? '' : `/2010-04-01/Accounts/${account.sid}`, auth: `${account.sid}:${token}`, body,
		});
		const rows = async () => {
			const all = (await ask('GET', '/AuditEvents')).json.audit_events, fresh = all.filter((r) => !seen.has(r.sid));
			fresh.forEach((r) => seen.add(r.sid));
			return fresh;
		};

		await rows();
		for (const [id, method, path, parameters = {}, changed] of STEPS) {
			await BEFORE[id]?.(t, c, ask);
			const sent = typeof parameters === 'function' ? parameters(c) : parameters, at = typeof path === 'function' ? path(c) : path;
			const answer = await ask(method, at, method === 'POST' ? form(sent) : undefined), { json } = answer;

			assert.ok(answer.status < 300, `${id}: ${answer.status} ${answer.text}`);
			if (/^Create/.test(id))
				c[id] = json.sid;
			c.domainName ||= json?.domain_name;
			[json?.secret, json?.secondary_auth_token, json?.auth_token].filter(Boolean).forEach((s) => secrets.add(s));
			if (id === 'CreateValidationRequest')
				[{ sid: c.callerId }] = (await ask('GET', `/OutgoingCallerIds`)).json.outgoing_caller_ids;
			if (id === 'UpdateAuthTokenPromotion')
				token = json.auth_token;
			done.add(id);

			const found = await rows(), [row] = found, sid = changed?.(c) ?? json?.sid ?? at.split('/').at(-1);
			assert.equal(found.length, 1, `${id} left ${found.length} rows: ${JSON.stringify(found)}`);
			assert.deepEqual([row.account_sid, row.actor_sid, row.source_ip_address, row.action, row.resource_sid, row.request_id],
				[account.sid, account.sid, '127.0.0.1', ACTIONS[method](id), sid, answer.headers.get('twilio-request-id')], id);
			assert.deepEqual(Object.keys(row.changes).sort(), Object.keys(sent).sort(), id);
			for (const [parameter, value] of Object.entries(sent)) {
				const secret = [...secrets].some((s) => value.includes(s));
				assert.equal(row.changes[parameter], !secret ? value : value.includes('://') ? value.replace(SECRET, '***') : '***', `${id} ${parameter}`);
			}
			for (const secret of secrets)
				assert.ok(!JSON.stringify(row).includes(secret), `${id}: a secret in ${JSON.stringify(row)}`);
		}

		/* Nothing that changes something was left out: an operation more is a step more. */
		const operations = Object.entries((await conformance()).document.paths)
			.flatMap(([, item]) => ['post', 'delete'].map((m) => item[m]?.operationId).filter(Boolean));
		assert.deepEqual(operations.filter((id) => !done.has(id)).sort(), ['CreateAccount', 'UpdateAccount']);
	});

	test('has the rows of subaccounts that are made and changed', async () => {
		const { json: account, headers } = await raw('POST', '.json', { root: '/2010-04-01/Accounts', body: 'FriendlyName=audited' });
		const closed = await raw('POST', `/${account.sid}.json`, { root: '/2010-04-01/Accounts', body: 'Status=closed' });
		/* Each among those of the account in whose name it was done: the owner's, and the subaccount's own. */
		const rows = (await Promise.all([account.sid, ACCOUNT].map((of) => raw('GET', `/${of}/AuditEvents.json?ResourceSid=${account.sid}`, { root: '/2010-04-01/Accounts' }))))
			.flatMap((a) => a.json.audit_events);

		assert.deepEqual(rows.map((r) => [r.action, r.actor_sid, r.source_ip_address, r.request_id, r.changes]), [
			['update', ACCOUNT, '127.0.0.1', closed.headers.get('twilio-request-id'), { Status: 'closed' }],
			['create', ACCOUNT, '127.0.0.1', headers.get('twilio-request-id'), { FriendlyName: 'audited' }],
		]);
		assert.ok(!JSON.stringify(rows).includes(account.auth_token));
	});

	test('has no row of what was refused', async () => {
		const { json: { audit_events: [last] } } = await raw('GET', '/AuditEvents.json?PageSize=1');

		assert.equal((await raw('POST', '/SIP/Domains.json', { body: 'DomainName=nowhere' })).status, 400);
		assert.equal((await raw('DELETE', `/SIP/Domains/SD${'0'.repeat(32)}.json`)).status, 404);
		assert.equal((await raw('POST', '/Keys.json', { body: '', auth: `${ACCOUNT}:wrong` })).status, 401);
		assert.equal((await raw('GET', '/AuditEvents.json?PageSize=1')).json.audit_events[0].sid, last.sid);
	});
});

'use strict';
/*
 * The official SDK, pointed at the platform under test: it builds https://api.twilio.com/... addresses,
 * this client sends them to HOOKSWITCH_API. And what the tests share.
 */
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const twilio = require('twilio');
const { record } = require('./record');

const API = process.env.HOOKSWITCH_API || 'http://127.0.0.1:8080';
const ACCOUNT = process.env.HOOKSWITCH_ACCOUNT_SID;
const TOKEN = process.env.HOOKSWITCH_AUTH_TOKEN;
const BASE = process.env.HOOKSWITCH_SIP_DOMAIN || 'sip.hookswitch.test';
const PASSWORD = 'Correct1Horse2Battery';

class LocalClient extends twilio.RequestClient {
	async request(options) {
		const url = new URL(options.uri);
		const response = await super.request({ ...options, uri: API + url.pathname + url.search });
		record(options.method.toUpperCase(), url.pathname, response.statusCode);
		return response;
	}
}

function connect(user = ACCOUNT, token = TOKEN, options = {}) {
	return twilio(user, token, { httpClient: new LocalClient(), ...options });
}

const client = connect();

/* What the SDK does not show: headers, wrong methods, bodies of other types. path is behind the account. */
async function raw(method, path, { body, headers = {}, auth = `${ACCOUNT}:${TOKEN}`, root = `/2010-04-01/Accounts/${ACCOUNT}` } = {}) {
	const h = { ...headers };
	if (auth !== null)
		h.Authorization = `Basic ${Buffer.from(auth).toString('base64')}`;
	if (body !== undefined && !Object.keys(h).some((k) => k.toLowerCase() === 'content-type'))
		h['Content-Type'] = 'application/x-www-form-urlencoded';
	const response = await fetch(API + root + path, { method, headers: h, body });
	const text = await response.text();
	record(method, (root + path).split('?')[0], response.status);
	return { status: response.status, headers: response.headers, text, json: text && /json/.test(response.headers.get('content-type')) ? JSON.parse(text) : null };
}

/* The promise fails as a REST error of this code and status; pattern is of its message. */
async function refused(promise, code, status = 400, pattern = /./) {
	await assert.rejects(promise, (e) => {
		assert.equal(e.code, code, `code ${e.code} (${e.message}) instead of ${code}`);
		assert.equal(e.status, status);
		assert.match(e.message, pattern);
		assert.equal(e.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
		return true;
	});
}

const unique = (prefix = 'sdk') => `${prefix}-${crypto.randomBytes(6).toString('hex')}`;
const name = () => `${unique()}.${BASE}`;

/* Makes a thing and removes it when the test ends, whether or not the test did. What the SDK makes does not know its own SID. */
async function made(t, list, properties) {
	const thing = await list.create(properties);
	thing.remove = () => list(thing.sid).remove();
	t.after(() => thing.remove().catch((e) => { if (e.status !== 404) throw e; }));
	return thing;
}

const makeDomain = (t, properties = {}) => made(t, client.sip.domains, { domainName: name(), ...properties });
const makeAcl = (t) => made(t, client.sip.ipAccessControlLists, { friendlyName: unique() });
const makeCredentialList = (t) => made(t, client.sip.credentialLists, { friendlyName: unique() });

/* Waits for what a condition returns, with a deadline. */
async function until(condition, what, seconds = 10) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const value = await condition();
		if (value)
			return value;
		if (Date.now() > end)
			assert.fail(`${what}: not within ${seconds} s`);
		await new Promise((resolve) => { setTimeout(resolve, 50); });
	}
}

module.exports = {
	ACCOUNT, API, BASE, PASSWORD, TOKEN, client, connect, made, makeAcl, makeCredentialList, makeDomain, name, raw, refused, unique, until,
};

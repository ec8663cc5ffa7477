'use strict';
/*
 * The official SDK, pointed at the platform under test: it builds https://api.twilio.com/... addresses,
 * this client sends them to HOOKSWITCH_API. And what the tests share.
 */
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const twilio = require('twilio');
const { Conformance } = require('./conformance');
const { record } = require('./record');

const API = process.env.HOOKSWITCH_API || 'http://127.0.0.1:8080';
const ACCOUNT = process.env.HOOKSWITCH_ACCOUNT_SID;
const TOKEN = process.env.HOOKSWITCH_AUTH_TOKEN;
const BASE = process.env.HOOKSWITCH_SIP_DOMAIN || 'sip.hookswitch.test';
const PASSWORD = 'Correct1Horse2Battery';

/* The served document, asked for once. */
let document;
function conformance() {
	document ||= fetch(`${API}/openapi.json`).then(async (response) => new Conformance(await response.json()));
	return document;
}

const pairs = (object) => Object.entries(object || {}).flatMap(([name, value]) => [value].flat().map((v) => [name, v]))
	.filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => [name, String(value)]);

/* Every answer that a test gets goes through here: it must be as the document says, and its operation was used. */
async function noted(exchange) {
	const checker = await conformance();
	record(exchange, checker.operation(exchange), checker.violations(exchange));
}

class LocalClient extends twilio.RequestClient {
	async request(options) {
		const url = new URL(options.uri);
		const response = await super.request({ ...options, uri: API + url.pathname + url.search });
		const { statusCode: status, body, headers } = response, type = headers['content-type'];
		await noted({
			sdk: true, method: options.method.toUpperCase(), path: url.pathname, query: [...url.searchParams, ...pairs(options.params)], form: pairs(options.data),
			status, type, warning: headers.warning, body: typeof body === 'string' && type === 'application/json' ? JSON.parse(body) : body,
		});
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
	const text = await response.text(), type = response.headers.get('content-type'), json = text && /json/.test(type) ? JSON.parse(text) : null;
	const [bare, query] = (root + path).split('?', 2), override = method === 'POST' && response.status < 400 && headers['X-HTTP-Method-Override'];
	await noted({
		method: override || method, path: bare, query: [...new URLSearchParams(query)], form: [...new URLSearchParams(body)],
		status: response.status, type, warning: response.headers.get('warning'), body: json ?? text,
	});
	return { status: response.status, headers: response.headers, text, json };
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
	ACCOUNT, API, BASE, PASSWORD, TOKEN, client, conformance, connect, made, makeAcl, makeCredentialList, makeDomain, name, raw, refused, unique, until,
};

'use strict';
/* SIP gateways (docs/gateways.md): where calls to numbers go. Ours: the SDK has no names for them. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { raw } = require('./client');

const path = '/SIP/Gateways';
const form = (values) => new URLSearchParams(values).toString();
const post = (at, values) => raw('POST', `${at}.json`, { body: form(values) });

describe('SIP gateways', () => {
	test('are made, listed, changed and deleted, and never show their password', async (t) => {
		const made = await post(path, { Prefix: '+49', Host: 'gw.example.com;transport=tcp', FriendlyName: 'Berlin', Strip: 1, Prepend: '00', Username: 'u', Password: 'secret' });
		assert.equal(made.status, 201, made.text);
		const row = made.json, at = `${path}/${row.sid}`;

		t.after(() => raw('DELETE', `${at}.json`));
		assert.match(row.sid, /^GW[0-9a-f]{32}$/);
		assert.deepEqual([row.prefix, row.host, row.strip, row.prepend, row.username, row.authenticates, row.friendly_name],
			['+49', 'gw.example.com;transport=tcp', 1, '00', 'u', true, 'Berlin']);
		assert.ok(!JSON.stringify(row).includes('secret'));
		assert.deepEqual((await raw('GET', `${path}.json`)).json.gateways, [row]);
		assert.deepEqual((await raw('GET', `${at}.json`)).json, row);
		const changed = (await post(at, { Host: '192.0.2.1:5070', Strip: 0, Prepend: '', Username: '', Password: '' })).json;
		assert.deepEqual([changed.host, changed.strip, changed.prepend, changed.authenticates, changed.prefix], ['192.0.2.1:5070', 0, '', false, '+49']);
		assert.equal((await raw('DELETE', `${at}.json`)).status, 204);
		assert.equal((await raw('GET', `${at}.json`)).status, 404);
	});

	test('take any number by default, and one prefix once', async (t) => {
		const { json: any } = await post(path, { Host: 'gw.example.com' });

		t.after(() => raw('DELETE', `${path}/${any.sid}.json`));
		assert.deepEqual([any.prefix, any.strip, any.prepend, any.username, any.authenticates], ['+', 0, '', null, false]);
		const again = await post(path, { Host: 'other.example.com' });
		assert.deepEqual([again.status, again.json.code], [409, 20409]);
	});

	for (const [what, values, code] of [
		['no host', {}, 21211], ['a host that is none', { Host: 'a b' }, 21211], ['a host with a user', { Host: 'u@h.example.com' }, 21211],
		['a host with headers', { Host: 'h.example.com?X-A=1' }, 21211], ['a transport that is none', { Host: 'h.example.com;transport=sctp' }, 21211],
		['a prefix without a plus', { Host: 'h.example.com', Prefix: '49' }, 20422], ['a prefix with letters', { Host: 'h.example.com', Prefix: '+4a' }, 20422],
		['two pluses', { Host: 'h.example.com', Prefix: '++4' }, 20422], ['too much to strip', { Host: 'h.example.com', Strip: 16 }, 20422],
		['a blank to prepend', { Host: 'h.example.com', Prepend: '0 0' }, 20422], ['a line break in the password', { Host: 'h.example.com', Password: 'a\r\nb' }, 21224],
		['a line break in the user name', { Host: 'h.example.com', Username: 'a\nb' }, 21222],
	])
		test(`refuse ${what}`, async () => {
			const answer = await post(path, values);

			assert.deepEqual([answer.status, answer.json.code], [400, code], answer.text);
		});
});

'use strict';
/* Destinations (docs/hostile-internet.md): where calls may go. Ours: the SDK has no names for them. */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { raw } = require('./client');

const path = '/SIP/Destinations';
const form = (values) => new URLSearchParams(values).toString();
const post = (at, values) => raw('POST', `${at}.json`, { body: form(values) });

describe('SIP destinations', () => {
	test('are made, listed, changed and deleted', async (t) => {
		const made = await post(path, { Target: '+49', FriendlyName: 'Germany' });
		assert.equal(made.status, 201, made.text);
		const row = made.json, at = `${path}/${row.sid}`;

		t.after(() => raw('DELETE', `${at}.json`));
		assert.match(row.sid, /^GD[0-9a-f]{32}$/);
		assert.deepEqual([row.target, row.allowed, row.friendly_name], ['+49', true, 'Germany']);
		assert.deepEqual((await raw('GET', `${path}.json`)).json.destinations, [row]);
		assert.deepEqual((await raw('GET', `${at}.json`)).json, row);
		const changed = (await post(at, { Target: '.example.com', Allowed: 'false' })).json;
		assert.deepEqual([changed.target, changed.allowed, changed.friendly_name], ['.example.com', false, 'Germany']);
		const again = await post(path, { Target: '.example.com' });
		assert.deepEqual([again.status, again.json.code], [409, 20409]);
		assert.equal((await raw('DELETE', `${at}.json`)).status, 204);
		assert.equal((await raw('GET', `${at}.json`)).status, 404);
	});

	for (const target of ['+', '*', '192.0.2.1', 'pbx.example.com', '.example.com', '2001:db8::1'])
		test(`take ${target}`, async (t) => {
			const made = await post(path, { Target: target });

			assert.equal(made.status, 201, made.text);
			t.after(() => raw('DELETE', `${path}/${made.json.sid}.json`));
		});

	for (const [what, values] of [['no target', {}], ['letters in a number', { Target: '+49a' }], ['a number too long', { Target: '+1234567890123456' }],
		['a URI', { Target: 'sip:bob@example.com' }], ['a star in a name', { Target: '*.example.com' }], ['capitals', { Target: 'Example.com' }],
		['a dot at the end', { Target: 'example.com.' }], ['two dots', { Target: 'a..b' }], ['a line break', { Target: 'a\nb' }],
		['a word for Allowed', { Target: '+1', Allowed: 'maybe' }]])
		test(`refuse ${what}`, async () => {
			const answer = await post(path, values);

			assert.deepEqual([answer.status, answer.json.code], [400, 20422], answer.text);
		});
});

'use strict';
/* Which test used which operation of the API with success: operations.json, for docs/coverage.md. */
const { AsyncLocalStorage } = require('node:async_hooks');
const node = require('node:test');

const running = new AsyncLocalStorage();
const TESTS_SHOWN = 3;
const used = new Map();
let suite = '';

function describe(name, body) {
	node.describe(name, () => {
		suite = name;
		body();
	});
}

function test(name, body) {
	const whole = `${suite}: ${name}`;

	node.test(name, (t) => running.run(whole, () => body(t)));
}

/* "GET", "/2010-04-01/Accounts/AC.../Calls/CA.../Notifications.json" is "GET /Calls/@/Notifications". */
function record(method, path, status) {
	const name = running.getStore(), below = /^\/2010-04-01(?:\/Accounts\/AC[0-9a-f]{32}(?=\/))?(\/.*)\.json$/.exec(path);

	if (!name || !below || status >= 300)
		return;
	const operation = `${method} ${below[1].replace(/\/[A-Z]{2}[0-9a-f]{32}$/, '/{Sid}').replace(/\/[A-Z]{2}[0-9a-f]{32}(?=\/)/g, '/@')}`;
	if (!used.has(operation))
		used.set(operation, new Set());
	used.get(operation).add(name);
}

/* { operation: [test, ...] }: of each the few tests that are most about it, which use fewest others. */
function operations() {
	const breadth = (name) => [...used.values()].filter((names) => names.has(name)).length;
	const order = (a, b) => breadth(a) - breadth(b) || (a < b ? -1 : 1);

	return Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([operation, names]) => [operation, [...names].sort(order).slice(0, TESTS_SHOWN)]));
}

module.exports = { describe, operations, record, test };

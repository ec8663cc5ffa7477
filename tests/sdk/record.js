'use strict';
/*
 * Which test used which operation of the API with success: operations.json, for docs/coverage.md. A test fails when
 * an answer that it got is not as the served document says, whatever it did with the answer.
 */
const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const node = require('node:test');

const running = new AsyncLocalStorage();
const TESTS_SHOWN = 3;
const used = new Map();
const answers = new Map();
const bySdk = new Set();
const late = [];
let suite = '';

function describe(name, body) {
	node.describe(name, () => {
		suite = name;
		body();
	});
}

function test(name, body) {
	const whole = `${suite}: ${name}`;

	node.test(name, async (t) => {
		const self = { name: whole, violations: [] };

		await running.run(self, () => body(t));
		self.ended = true;
		assert.deepEqual(self.violations, [], 'answers are not as /openapi.json says');
	});
}

/* "GET", "/2010-04-01/Accounts/AC.../Calls/CA.../Notifications.json" is "GET /Calls/@/Notifications". */
function record(exchange, id, violations) {
	const { method, path, status } = exchange, self = running.getStore();
	if (self && !self.ended)
		self.violations.push(...violations.filter((v) => !self.violations.includes(v)));
	else
		late.push(...violations);
	if (id && status < 300 && method !== 'HEAD') {
		if (!answers.has(id))
			answers.set(id, exchange);
		if (exchange.sdk)
			bySdk.add(id);
	}

	const name = self?.name, below = /^\/2010-04-01(?:\/Accounts\/AC[0-9a-f]{32}(?=\/))?(\/.*)\.json$/.exec(path);

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

/* The first good exchange of each operation, by its id; which of them the SDK made; and what was wrong while tests cleaned up. */
module.exports = { answers, bySdk, describe, late, operations, record, test };

'use strict';
/* The last part of all.test.js. SDK_OPERATIONS=file writes what was seen there, to be taken for operations.json. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, operations, test } = require('./record');

describe('operations', () => {
	test('are used by the tests that operations.json names', () => {
		const seen = operations(), file = path.join(__dirname, 'operations.json');

		if (process.env.SDK_OPERATIONS)
			fs.writeFileSync(process.env.SDK_OPERATIONS, `${JSON.stringify(seen, null, '\t')}\n`);
		assert.deepEqual(seen, JSON.parse(fs.readFileSync(file, 'utf8')));
	});
});

'use strict';
/*
 * The served OpenAPI document, and that the check of every answer against it (client.js) catches wrong ones. Behind the other
 * tests, of whose answers it spoils one of each operation.
 */
const assert = require('node:assert/strict');
const { answers, bySdk, describe, late, test } = require('./record');
const { conformance, raw } = require('./client');

/* Tags of what the SDK does not know. */
const OURS = ['AuditEvent', 'CallMedia', 'Service', 'SipClientCertificate', 'SipDestination', 'SipGateway', 'SipRegistration'];

const operations = async () => Object.values((await conformance()).document.paths).flatMap((item) => Object.values(item));

/* All ways to spoil an object by one member, and what the checker must name: [what, pointer, spoiled]. */
function spoiled(value, nullable, at = '') {
	const without = (name) => Object.fromEntries(Object.entries(value).filter(([n]) => n !== name));

	return [
		['an unknown property', /additional properties \(nobody_knows\)/, { ...value, nobody_knows: 1 }],
		...Object.keys(value).flatMap((name) => [
			[`no ${name}`, new RegExp(`required property '${name}'`), without(name)],
			[`another type of ${name}`, new RegExp(`${at}/${name} must be `), { ...value, [name]: Array.isArray(value[name]) ? {} : [] }],
			...(nullable(name) ? [] : [[`null as ${name}`, new RegExp(`${at}/${name} must be `), { ...value, [name]: null }]]),
		]),
	];
}

describe('the OpenAPI document', () => {
	test('is valid OpenAPI 3.0 and the same that it was', async () => {
		const { Validator } = await import('@seriousme/openapi-schema-validator');
		const answer = await raw('GET', '/openapi.json', { root: '', auth: null });
		const result = await new Validator().validate(answer.json);

		assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
		assert.equal(answer.json.openapi, '3.0.3');
		assert.deepEqual(answer.json, (await conformance()).document);
	});

	test('has the operations that the tests use, and each of them was used', async () => {
		await raw('GET', '/metrics', { root: '', auth: null });
		assert.deepEqual((await operations()).map((o) => o.operationId).filter((id) => !answers.has(id)), []);
	});

	/* docs/rest-operations.md names the SDK's call of each of them (tests/operations_page.py). */
	test('has operations that the SDK made, but for those that are ours alone', async () => {
		const theirs = (await operations()).filter((o) => !OURS.includes(o.tags[0])).map((o) => o.operationId);

		assert.deepEqual(theirs.filter((id) => !bySdk.has(id)), []);
	});

	test('had no answer against it while tests cleaned up', () => {
		assert.deepEqual(late, []);
	});
});

describe('the check of answers', () => {
	/* Each violation has the operation and the status; the pattern is of the rest. */
	async function caught(exchange, changes, pattern, what) {
		const checker = await conformance(), wrong = { ...exchange, ...changes }, found = checker.violations(wrong);

		assert.ok(found.some((v) => v.startsWith(`${checker.operation(wrong) || `${wrong.method} ${wrong.path}`} ${wrong.status} `) && pattern.test(v)),
			`${what}: ${found.length ? found.join('; ') : 'nothing was found'}`);
	}

	test('catches a property more, one less, another type and null, in the answers of all operations', async () => {
		const { document } = await conformance();
		let n = 0;

		for (const [id, exchange] of answers) {
			if (exchange.type !== 'application/json' || id === 'FetchOpenapi')
				continue;
			const operation = (await operations()).find((o) => o.operationId === id);
			const { $ref } = operation.responses[exchange.status].content['application/json'].schema;
			const schema = $ref ? document.components.schemas[$ref.split('/').at(-1)] : operation.responses[exchange.status].content['application/json'].schema;
			const optional = (name) => !(schema.required || []).includes(name);

			for (const [what, pattern, body] of spoiled(exchange.body, (name) => schema.properties[name].nullable)) {
				if (what.startsWith('no ') && optional(what.slice(3)))
					continue;
				await caught(exchange, { body }, pattern, `${id}: ${what}`);
				n++;
			}
		}
		assert.ok(n > 500, `${n} wrong answers`);
	});

	test('looks into the rows of a list, and says where', async () => {
		const list = answers.get('ListSipDomain'), row = answers.get('FetchSipDomain').body;

		for (const [what, pattern, wrong] of [
			['an unknown property', /\/domains\/1 .*\(nobody_knows\)/, { ...row, nobody_knows: null }],
			['a number as a name', /\/domains\/1\/domain_name must be string/, { ...row, domain_name: 7 }],
			['a SID of another kind', /\/domains\/1\/sid must match pattern/, { ...row, sid: row.account_sid }],
			['another date', /\/domains\/1\/date_created must match/, { ...row, date_created: '2026-11-23T10:00:00Z' }],
			['another word', /\/domains\/1\/voice_method must be equal to one of/, { ...row, voice_method: 'PUT' }],
		])
			await caught(list, { body: { ...list.body, domains: [row, wrong] } }, pattern, what);
	});

	test('catches another code, status, type and a body where there is none', async () => {
		const fetched = answers.get('FetchSipDomain'), removed = answers.get('DeleteSipDomain');
		const error = (code, status) => ({ status, body: { code, message: 'x', more_info: `https://www.twilio.com/docs/errors/${code}`, status } });

		assert.deepEqual((await conformance()).violations({ ...fetched, ...error(20404, 404) }), []);
		await caught(fetched, error(21230, 404), /\/code must be equal to one of.*20404/, 'a code of another operation');
		await caught(fetched, error(20404, 400), /\/code must be equal/, 'a code of another status');
		await caught(fetched, { ...error(20404, 404), body: error(20404, 400).body }, /\/status must be equal/, 'another status in the body');
		await caught(fetched, { status: 304 }, /must have no body/, 'a 304 with a body');
		await caught(fetched, { status: 415 }, /status that the document does not have/, 'the status of what takes a body');
		await caught(fetched, { status: 418 }, /status that the document does not have/, 'an undocumented status');
		await caught(fetched, { status: 201 }, /status that the document does not have/, 'another success');
		await caught(fetched, { type: 'text/html' }, /is text\/html instead of application\/json/, 'another type');
		await caught(removed, { body: {} }, /must have no body/, 'a body of a 204');
	});

	test('catches a path or a method that is none with another answer than its error', async () => {
		const fetched = answers.get('FetchSipDomain'), path = fetched.path.replace('/SIP/', '/PSTN/');

		await caught(fetched, { path }, /not in the document/, 'an undocumented path');
		await caught(fetched, { path, status: 404 }, /required property 'code'/, 'an undocumented path with another body');
		await caught(fetched, { method: 'PUT' }, /not in the document/, 'an undocumented method');
		await caught(fetched, { method: 'OPTIONS', status: 204 }, /must have no body/, 'OPTIONS with a body');
		await caught(fetched, { path, method: 'OPTIONS', status: 204, body: '' }, /not in the document/, 'OPTIONS of an undocumented path');
	});

	test('catches parameters that were taken though the document has them not, or not so', async () => {
		const created = answers.get('CreateSipDomain'), list = answers.get('ListSipDomain'), fetched = answers.get('FetchSipDomain');
		const form = (name, value) => ({ form: [...created.form, [name, value]] });

		await caught(created, form('Unknown', '1'), /form \/Unknown is not in the document/, 'an unknown parameter');
		await caught(created, form('VoiceMethod', 'PUT'), /form \/VoiceMethod must be equal/, 'a bad value');
		await caught(created, form('Secure', 'perhaps'), /form \/Secure must be boolean/, 'a bad boolean');
		await caught(created, { form: [...created.form, ...created.form] }, /form \/DomainName must be string/, 'a parameter that stands twice');
		await caught(created, { form: [] }, /form \/DomainName is required/, 'a missing parameter');
		await caught(answers.get('CreateCall'), { form: [...answers.get('CreateCall').form, ['StatusCallbackEvent', 'ringing'], ['StatusCallbackEvent', 'x'.repeat(101)]] },
			/form \/StatusCallbackEvent\/\d+ must/, 'a bad one of several');
		await caught(list, { query: [['Unknown', '1']] }, /query \/Unknown is not in the document/, 'an unknown filter');
		await caught(list, { query: [['PageSize', '0']] }, /query \/PageSize must be >= 1/, 'a bad page size');
		await caught(fetched, { path: fetched.path.replace(/SD[0-9a-f]{32}/, 'SDx') }, /path \/Sid must match/, 'a bad SID');
		assert.deepEqual((await conformance()).violations({ ...created, ...form('Unknown', '1'), warning: '299 - "20001 Unknown parameters, not used: Unknown"' }), []);
	});
});

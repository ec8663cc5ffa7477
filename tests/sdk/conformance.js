'use strict';
/*
 * Whether an exchange (a request and its answer) is what an OpenAPI document says. JSON answers; of the other
 * representations the document has words alone. An exchange:
 * { method, path, query: [[name, value], ...], form: [[name, value], ...], status, type, warning, body }, body parsed where type is JSON.
 */
const { default: Ajv } = require('ajv');
const { default: formats } = require('ajv-formats');

/* What a path or a method that the document does not have may get. */
const NO_PATH = { 401: [20003], 404: [20404] };
const NO_METHOD = { 401: [20003], 405: [20004] };

class Conformance {
	constructor(document) {
		this.document = document;
		this.answers = this.#ajv({});
		this.values = this.#ajv({ coerceTypes: true });
		this.compiled = new Map();
		this.paths = Object.entries(document.paths).map(([path, item]) => ({
			item,
			names: [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]),
			regex: new RegExp(`^${path.replace(/[.+*?^$()[\]\\|]/g, '\\$&').replace(/\{\w+\}/g, '([^/]+)')}$`),
		})).sort((a, b) => a.names.length - b.names.length);
	}

	/* OpenAPI's nullable is a keyword that Ajv knows. */
	#ajv(options) {
		const ajv = new Ajv({ allErrors: true, strictTypes: false, ...options });

		formats(ajv);
		return ajv.addVocabulary(['components']);
	}

	/* The problems of a value, each led by its JSON pointer. */
	#problems(ajv, schema, value) {
		const key = `${ajv === this.values}${JSON.stringify(schema)}`;

		if (!this.compiled.has(key))
			this.compiled.set(key, ajv.compile({ components: this.document.components, allOf: [schema] }));
		const validate = this.compiled.get(key);
		return validate(value) ? [] : validate.errors.map((e) => {
			const more = e.params.additionalProperty || (e.params.allowedValues && JSON.stringify(e.params.allowedValues)) || '';
			return `${e.instancePath || '/'} ${e.message}${more && ` (${more})`}`;
		});
	}

	/* Follows {"$ref": "#/a/b"}. */
	#resolved(part) {
		return part.$ref ? this.#resolved(part.$ref.slice(2).split('/').reduce((at, name) => at[name], this.document)) : part;
	}

	#find(x) {
		const found = this.paths.find((p) => p.regex.test(x.path));

		return found && { ...found, operation: found.item[x.method === 'HEAD' ? 'get' : x.method.toLowerCase()], values: found.regex.exec(x.path).slice(1) };
	}

	#stray(x, allowed) {
		/* Says the methods of a path in a header. */
		if (x.method === 'OPTIONS' && x.status === 204 && allowed === NO_METHOD)
			return x.body ? ['/ must have no body'] : [];
		const schema = { allOf: [{ $ref: '#/components/schemas/Error' }, { type: 'object', properties: { code: { enum: allowed[x.status] }, status: { const: x.status } } }] };

		if (!allowed[x.status])
			return [`may be ${Object.keys(allowed).join(' or ')} alone: it is not in the document`];
		return x.method === 'HEAD' ? [] : this.#problems(this.answers, schema, x.body);
	}

	#answer(x, operation) {
		const response = operation.responses[x.status] && this.#resolved(operation.responses[x.status]);

		if (!response)
			return ['is a status that the document does not have'];
		if (!response.content)
			return x.body === '' || x.body === undefined ? [] : ['/ must have no body'];
		const content = response.content[(x.type || '').split(';')[0]];
		if (!content)
			return [`is ${x.type || 'without a type'} instead of ${Object.keys(response.content)}`];
		return x.method === 'HEAD' ? [] : this.#problems(this.answers, content.schema, x.body);
	}

	/* A parameter is one of the document's, with a value that it may have. An empty value is its default's; the answer names those that nobody knows. */
	#parameters(x, pairs, known, what) {
		const unknown = (/Unknown parameters, not used: (.*)"$/.exec(x.warning) || ['', ''])[1].split(/, ?/);

		const names = [...new Set(pairs.map(([name]) => name))].filter((name) => !unknown.includes(name));

		return names.flatMap((name) => {
			const values = pairs.filter(([n]) => n === name).map(([, value]) => value);
			if (!known[name])
				return [`${what} /${name} is not in the document, and the answer does not warn of it`];
			if (values.every((value) => value === ''))
				return [];
			/* Only an array's may stand more than once. */
			const value = values.length > 1 || known[name].type === 'array' ? values : values[0];
			return this.#problems(this.values, { type: 'object', properties: { [name]: known[name] } }, { [name]: value }).map((p) => `${what} ${p}`);
		});
	}

	#request(x, { operation, names, values }) {
		const parameters = (operation.parameters || []).map((p) => this.#resolved(p));
		const of = (where) => Object.fromEntries(parameters.filter((p) => p.in === where).map((p) => [p.name, p.schema]));
		const body = operation.requestBody ? operation.requestBody.content['application/x-www-form-urlencoded'].schema : { properties: {} };
		const missing = (body.required || []).filter((name) => !x.form.some(([n]) => n === name));

		return [
			...this.#parameters(x, names.map((name, i) => [name, values[i]]), of('path'), 'path'),
			...this.#parameters(x, x.query, of('query'), 'query'),
			...this.#parameters(x, x.form, body.properties, 'form'),
			...missing.map((name) => `form /${name} is required by the document, but was not needed`),
		];
	}

	/* The operation of an exchange; undefined: none of the document. */
	operation(x) {
		return this.#find(x)?.operation?.operationId;
	}

	/* What is not as the document says: sentences of operation, status, JSON pointer. */
	violations(x) {
		const found = this.#find(x), operation = found?.operation;
		let problems;

		if (!found && !/\.json$/.test(x.path) && x.type !== 'application/json')
			return [];
		if (!operation)
			problems = this.#stray(x, found ? NO_METHOD : NO_PATH);
		else
			problems = [...this.#answer(x, operation), ...(x.status < 300 ? this.#request(x, found) : [])];
		return problems.map((p) => `${operation ? operation.operationId : `${x.method} ${x.path}`} ${x.status} ${p}`);
	}
}

module.exports = { Conformance };

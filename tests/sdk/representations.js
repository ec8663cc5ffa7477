'use strict';
/* XML and CSV beside JSON; creates that are sent again; who changed what; parameters that nobody knows */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { ACCOUNT, client, makeAcl, makeCredentialList, makeDomain, raw, unique } = require('./client');

describe('representations', () => {
	test('XML is what a path without an extension gives, and .xml', async (t) => {
		const d = await makeDomain(t, { friendlyName: 'A <b> & "c"' });

		for (const extension of ['', '.xml']) {
			const answer = await raw('GET', `/SIP/Domains/${d.sid}${extension}`);
			assert.equal(answer.headers.get('content-type'), 'application/xml; charset=utf-8');
			assert.match(answer.text, new RegExp(`^<\\?xml version="1\\.0" encoding="UTF-8"\\?>\\n<TwilioResponse><Domain><Sid>${d.sid}</Sid>`));
			assert.match(answer.text, /<FriendlyName>A &lt;b&gt; &amp; &quot;c&quot;<\/FriendlyName>/);
			assert.match(answer.text, /<VoiceUrl\/>/);
			assert.match(answer.text, new RegExp(`<Uri>/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains/${d.sid}</Uri>`));
		}
	});

	test('an XML list has its page in attributes', async (t) => {
		const d = await makeDomain(t);
		const { text } = await raw('GET', '/SIP/Domains?PageSize=1000');

		assert.match(text, /<TwilioResponse><Domains page="0" pagesize="1000" uri="[^"]+" firstpageuri="[^"]+" previouspageuri="" nextpageuri=""/);
		assert.ok(text.includes(`<Domain><Sid>${d.sid}</Sid>`));
	});

	test('an XML error is a RestException', async () => {
		const { status, text } = await raw('GET', '/Nothing');

		assert.equal(status, 404);
		assert.match(text, /<TwilioResponse><RestException><Code>20404<\/Code><Message>.*<\/Message><MoreInfo>.*<\/MoreInfo><Status>404<\/Status><\/RestException><\/TwilioResponse>$/);
	});

	test('a CSV list is a line of names and a line a row', async (t) => {
		const d = await makeDomain(t, { friendlyName: 'a,"b"' });
		const { headers, text } = await raw('GET', '/SIP/Domains.csv?PageSize=1000');
		const lines = text.split('\r\n');

		assert.match(headers.get('content-type'), /^text\/csv/);
		assert.match(lines[0], /^Sid,AccountSid,ApiVersion,AuthType,DomainName,FriendlyName,/);
		assert.ok(lines.find((l) => l.startsWith(d.sid)).includes(',"a,""b""",'));
		assert.equal(lines.at(-1), '');
	});

	test('the next page of a list is in Link, CSV too', async (t) => {
		const made = [];

		for (let i = 0; i < 5; i++)
			made.push((await makeDomain(t)).sid);
		const seen = [];
		for (let next = `/2010-04-01/Accounts/${ACCOUNT}/SIP/Domains.csv?PageSize=2`; next;) {
			const page = await raw('GET', '', { root: next });
			seen.push(...page.text.split('\r\n').slice(1).filter((l) => l).map((l) => l.split(',')[0]));
			next = (/^<([^>]+)>; rel="next"$/.exec(page.headers.get('link')) || [])[1];
		}
		assert.deepEqual(seen.filter((sid) => made.includes(sid)), made);
		assert.equal(new Set(seen).size, seen.length);
		const json = await raw('GET', '/SIP/Domains.json?PageSize=2');
		assert.equal(json.headers.get('link'), `<${json.json.next_page_uri}>; rel="next"`);
		assert.equal((await raw('GET', '/SIP/Domains.json?PageSize=1000')).headers.get('link'), null);
	});
});

describe('Idempotency-Key', () => {
	const create = (key, body, path = '/SIP/IpAccessControlLists.json') => raw('POST', path, { body, headers: { 'Idempotency-Key': key } });

	test('makes a create that is sent again, even at once, one', async (t) => {
		const key = unique(), body = `FriendlyName=${unique()}`;
		const answers = await Promise.all(Array.from({ length: 8 }, () => create(key, body)));
		const sids = new Set(answers.map((a) => a.json.sid));
		t.after(() => client.sip.ipAccessControlLists(answers[0].json.sid).remove());

		assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([201]));
		assert.equal(sids.size, 1);
		assert.equal(answers.filter((a) => a.headers.get('idempotent-replayed') === 'true').length, 7);
	});

	test('of another request is 409, of a refused one is free', async (t) => {
		const key = unique(), friendlyName = unique();

		assert.equal((await create(key, 'FriendlyName=')).status, 400);
		const { json } = await create(key, `FriendlyName=${friendlyName}`);
		t.after(() => client.sip.ipAccessControlLists(json.sid).remove());
		const other = await create(key, `FriendlyName=${friendlyName}2`);
		assert.deepEqual([other.status, other.json.code], [409, 20409]);
		assert.equal((await create('', 'FriendlyName=x')).status, 400);
		assert.equal((await create('x'.repeat(256), 'FriendlyName=x')).status, 400);
	});

	test('of a mapping gives the mapping again', async (t) => {
		const d = await makeDomain(t), acl = await makeAcl(t), key = unique(), path = `/SIP/Domains/${d.sid}/Auth/Calls/IpAccessControlListMappings.json`;

		for (let i = 0; i < 2; i++) {
			const answer = await create(key, `IpAccessControlListSid=${acl.sid}`, path);
			assert.deepEqual([answer.status, answer.json.sid], [201, acl.sid]);
		}
		await d.remove();
	});
});

describe('changes', () => {
	test('leave an audit row without secrets; those that were refused leave none', async (t) => {
		const list = await makeCredentialList(t), { credentials } = client.sip.credentialLists(list.sid);
		const c = await credentials.create({ username: 'alice', password: 'Correct1Horse2Battery' });
		await assert.rejects(credentials(c.sid).update({ password: 'short' }));
		await credentials(c.sid).update({ password: 'Correct1Horse2Battery3' });
		await credentials(c.sid).remove();
		const { json, text } = await raw('GET', `/AuditEvents.json?ResourceSid=${c.sid}`);

		assert.deepEqual(json.audit_events.map((e) => e.action), ['delete', 'update', 'create']);
		assert.deepEqual(json.audit_events[2].changes, { Username: 'alice', Password: '***' });
		assert.deepEqual([json.audit_events[2].actor_sid, json.audit_events[2].resource_path], [ACCOUNT, '/SIP/CredentialLists/@/Credentials']);
		assert.ok(!text.includes('Correct1Horse'));
		assert.equal((await raw('GET', `/AuditEvents/${json.audit_events[0].sid}.json`)).json.action, 'delete');
	});

	test('are done without parameters that nobody knows, which is said', async (t) => {
		const odd = unique().replace(/-/g, ''), answer = await raw('POST', '/SIP/CredentialLists.json', { body: `FriendlyName=${unique()}&${odd}=1` });
		t.after(() => client.sip.credentialLists(answer.json.sid).remove());

		assert.equal(answer.status, 201);
		assert.match(answer.headers.get('warning'), new RegExp(`^299 - "20001 Unknown parameters, not used: ${odd}"$`));
		const found = (await client.notifications.list({ log: 1, limit: 50 })).find((n) => n.messageText.includes(odd));
		assert.equal(found.errorCode, '20001');
	});
});

describe('IPv6', () => {
	test('addresses and blocks are in lists as IPv4 ones are', async (t) => {
		const { ipAddresses } = client.sip.ipAccessControlLists((await makeAcl(t)).sid);
		const one = await ipAddresses.create({ friendlyName: 'a', ipAddress: '2001:DB8::7' });
		const block = await ipAddresses.create({ friendlyName: 'b', ipAddress: '2001:db8::', cidrPrefixLength: 32 });

		assert.deepEqual([one.ipAddress, one.cidrPrefixLength, block.cidrPrefixLength], ['2001:db8::7', 128, 32]);
		await assert.rejects(ipAddresses.create({ friendlyName: 'c', ipAddress: '2001:db8::', cidrPrefixLength: 129 }), (e) => e.code === 21238);
		assert.equal((await ipAddresses(one.sid).update({ ipAddress: '203.0.113.7' })).cidrPrefixLength, 32);
		await assert.rejects(ipAddresses(one.sid).update({ cidrPrefixLength: 64 }), (e) => e.code === 21238);
	});
});

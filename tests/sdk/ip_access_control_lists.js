'use strict';
/* sip-and-rest.md §1.4 */
const assert = require('node:assert/strict');
const { describe, test } = require('./record');
const { ACCOUNT, client, made, makeAcl, makeDomain, raw, refused, unique } = require('./client');

describe('IP access control lists', () => {
	test('are made, fetched, listed, renamed and deleted', async (t) => {
		const friendlyName = unique();
		const acl = await made(t, client.sip.ipAccessControlLists, { friendlyName });
		const uri = `/2010-04-01/Accounts/${ACCOUNT}/SIP/IpAccessControlLists/${acl.sid}`;

		assert.match(acl.sid, /^AL[0-9a-f]{32}$/);
		assert.equal(acl.accountSid, ACCOUNT);
		assert.equal(acl.friendlyName, friendlyName);
		assert.equal(acl.uri, `${uri}.json`);
		assert.deepEqual(acl.subresourceUris, { ip_addresses: `${uri}/IpAddresses.json` });
		assert.deepEqual((await client.sip.ipAccessControlLists(acl.sid).fetch()).toJSON(), acl.toJSON());
		assert.ok((await client.sip.ipAccessControlLists.list()).some((x) => x.sid === acl.sid));
		const renamed = unique();
		assert.equal((await client.sip.ipAccessControlLists(acl.sid).update({ friendlyName: renamed })).friendlyName, renamed);
		assert.equal(await client.sip.ipAccessControlLists(acl.sid).remove(), true);
		await refused(client.sip.ipAccessControlLists(acl.sid).fetch(), 20404, 404);
	});

	test('need a name of at most 255 characters that the account has once', async (t) => {
		const one = await makeAcl(t), two = await makeAcl(t);

		await refused(client.sip.ipAccessControlLists.create({ friendlyName: 'x'.repeat(256) }), 21235, 400, /FriendlyName/);
		await refused(client.sip.ipAccessControlLists.create({ friendlyName: '' }), 21235, 400, /FriendlyName is required/);
		await refused(client.sip.ipAccessControlLists.create({ friendlyName: one.friendlyName }), 21235, 400, /FriendlyName/);
		await refused(client.sip.ipAccessControlLists(two.sid).update({ friendlyName: one.friendlyName }), 21235);
		assert.equal((await raw('POST', `/SIP/IpAccessControlLists/${two.sid}.json`, { body: 'X=1' })).json.code, 21235);
		await made(t, client.sip.ipAccessControlLists, { friendlyName: 'ü'.repeat(255) });
	});

	test('stay while a domain is mapped to them', async (t) => {
		const domain = await makeDomain(t), acl = await makeAcl(t);
		const mappings = client.sip.domains(domain.sid).auth.calls.ipAccessControlListMappings;

		await mappings.create({ ipAccessControlListSid: acl.sid });
		await refused(acl.remove(), 21236, 400, /mapped/);
		await mappings(acl.sid).remove();
		assert.equal(await acl.remove(), true);
	});
});

describe('IP addresses', () => {
	test('are made, fetched, listed, changed and deleted', async (t) => {
		const acl = await makeAcl(t);
		const { ipAddresses } = client.sip.ipAccessControlLists(acl.sid);
		const ip = await ipAddresses.create({ friendlyName: 'office', ipAddress: '203.0.113.7', cidrPrefixLength: 24 });

		assert.match(ip.sid, /^IP[0-9a-f]{32}$/);
		assert.equal(ip.accountSid, ACCOUNT);
		assert.equal(ip.ipAddress, '203.0.113.7');
		assert.equal(ip.cidrPrefixLength, 24);
		assert.equal(ip.ipAccessControlListSid, acl.sid);
		assert.equal(ip.uri, `/2010-04-01/Accounts/${ACCOUNT}/SIP/IpAccessControlLists/${acl.sid}/IpAddresses/${ip.sid}.json`);
		assert.deepEqual((await ipAddresses(ip.sid).fetch()).toJSON(), ip.toJSON());
		assert.deepEqual((await ipAddresses.list()).map((x) => x.sid), [ip.sid]);
		const changed = await ipAddresses(ip.sid).update({ ipAddress: '198.51.100.1', cidrPrefixLength: 32, friendlyName: 'home' });
		assert.deepEqual([changed.ipAddress, changed.cidrPrefixLength, changed.friendlyName], ['198.51.100.1', 32, 'home']);
		assert.equal((await ipAddresses(ip.sid).update({ friendlyName: 'away' })).ipAddress, '198.51.100.1');
		assert.equal(await ipAddresses(ip.sid).remove(), true);
		await refused(ipAddresses(ip.sid).fetch(), 20404, 404);
		assert.deepEqual(await ipAddresses.list(), []);
	});

	test('are whole addresses without a prefix length, and may be all of them with 0', async (t) => {
		const { ipAddresses } = client.sip.ipAccessControlLists((await makeAcl(t)).sid);

		assert.equal((await ipAddresses.create({ friendlyName: 'a', ipAddress: '203.0.113.7' })).cidrPrefixLength, 32);
		assert.equal((await ipAddresses.create({ friendlyName: 'b', ipAddress: '0.0.0.0', cidrPrefixLength: 0 })).cidrPrefixLength, 0);
	});

	test('are refused with 21238 when they are none', async (t) => {
		const { ipAddresses } = client.sip.ipAccessControlLists((await makeAcl(t)).sid);

		for (const ipAddress of ['203.0.113', '203.0.113.256', '203.0.113.*', '2001:db8::g', '203.0.113.7/24', 'example.com', ''])
			await refused(ipAddresses.create({ friendlyName: 'x', ipAddress }), 21238, 400, /IpAddress/);
		for (const cidrPrefixLength of [33, -1, 'x'])
			await refused(ipAddresses.create({ friendlyName: 'x', ipAddress: '203.0.113.7', cidrPrefixLength }), 21238, 400, /CidrPrefixLength/);
		await refused(ipAddresses.create({ friendlyName: '', ipAddress: '203.0.113.7' }), 21238, 400, /FriendlyName/);
		await refused(ipAddresses.create({ friendlyName: 'x'.repeat(256), ipAddress: '203.0.113.7' }), 21238, 400, /FriendlyName/);
		assert.deepEqual(await ipAddresses.list(), []);
	});

	test('are in a list once', async (t) => {
		const { ipAddresses } = client.sip.ipAccessControlLists((await makeAcl(t)).sid);

		await ipAddresses.create({ friendlyName: 'a', ipAddress: '203.0.113.7' });
		await refused(ipAddresses.create({ friendlyName: 'b', ipAddress: '203.0.113.7', cidrPrefixLength: 32 }), 21235, 400, /IpAddress/);
		const other = await ipAddresses.create({ friendlyName: 'b', ipAddress: '203.0.113.7', cidrPrefixLength: 24 });
		await refused(ipAddresses(other.sid).update({ cidrPrefixLength: 32 }), 21235);
	});

	test('belong to their list alone, and go with it', async (t) => {
		const one = await makeAcl(t), two = await makeAcl(t);
		const ip = await client.sip.ipAccessControlLists(one.sid).ipAddresses.create({ friendlyName: 'a', ipAddress: '203.0.113.7' });
		const elsewhere = client.sip.ipAccessControlLists(two.sid).ipAddresses(ip.sid);

		await refused(elsewhere.fetch(), 20404, 404);
		await refused(elsewhere.update({ friendlyName: 'x' }), 20404, 404);
		await refused(elsewhere.remove(), 20404, 404);
		await one.remove();
		await refused(client.sip.ipAccessControlLists(one.sid).ipAddresses.list(), 20404, 404);
	});
});

'use strict';
/*
 * make demo: what Hookswitch is for, in one call. Provisions a domain, an ACL and a credential through REST with the official Node
 * SDK, answers as the customer's web application, places a call with SIPp, and says what went over SIP, HTTP and RTP.
 */
const { spawn, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const dgram = require('node:dgram');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const twilio = require('twilio');
const RequestClient = require('twilio/lib/base/RequestClient');

const env = process.env;
const here = __dirname;
const out = env.DEMO_OUT || '/out';
const api = new URL(env.HOOKSWITCH_API);
const ip = env.PUBLIC_IP;
const digit = '5';

/* The SDK, pointed at us: same requests, other host. */
class OwnHost extends RequestClient {
	request(options) {
		const uri = new URL(options.uri);
		uri.protocol = api.protocol;
		uri.host = api.host;
		return super.request({ ...options, uri: uri.toString() });
	}
}
const httpClient = new OwnHost();
const client = twilio(env.HOOKSWITCH_ACCOUNT_SID, env.HOOKSWITCH_AUTH_TOKEN, { httpClient });

function title(text) {
	console.log(`\n${text}\n${'-'.repeat(text.length)}`);
}

async function freeUdpPort() {
	const socket = dgram.createSocket('udp4');
	await new Promise((resolve) => socket.bind(0, ip, resolve));
	const { port } = socket.address();
	await new Promise((resolve) => socket.close(resolve));
	return port;
}

/* The customer's web application: two pages of TwiML. */
function startWebApp(webhooks) {
	const pages = {
		'/voice': () => {
			const twiml = new twilio.twiml.VoiceResponse();
			const gather = twiml.gather({ input: 'dtmf', numDigits: 1, timeout: 10, action: '/pressed' });
			gather.say('Welcome to Hookswitch. Please press a key.');
			twiml.say('You pressed nothing. Goodbye.');
			return twiml;
		},
		'/pressed': (form) => {
			const twiml = new twilio.twiml.VoiceResponse();
			twiml.say(`You pressed ${form.Digits}. Thank you, and goodbye.`);
			twiml.hangup();
			return twiml;
		},
		'/status': () => new twilio.twiml.VoiceResponse(),
	};
	const server = http.createServer((request, response) => {
		const chunks = [];
		request.on('data', (chunk) => chunks.push(chunk));
		request.on('end', () => {
			const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
			const url = `http://127.0.0.1:${server.address().port}${request.url}`;
			const signed = twilio.validateRequest(env.HOOKSWITCH_AUTH_TOKEN, request.headers['x-twilio-signature'] || '', url, form);
			const page = pages[request.url];
			const body = page ? page(form).toString() : '';
			webhooks.push({ path: request.url, form, signed, body });
			response.writeHead(page ? 200 : 404, { 'Content-Type': 'text/xml' });
			response.end(body);
		});
	});
	return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function provision(webPort) {
	const name = `demo-${crypto.randomBytes(4).toString('hex')}`;
	const username = 'demo';
	const password = `Demo1${crypto.randomBytes(8).toString('hex')}`;
	const undo = [];
	const url = (page) => `http://127.0.0.1:${webPort}${page}`;
	const domain = await client.sip.domains.create({
		domainName: `${name}.${env.HOOKSWITCH_SIP_DOMAIN}`, friendlyName: 'Demo', voiceUrl: url('/voice'),
		voiceStatusCallbackUrl: url('/status'),
	});
	undo.push(() => client.sip.domains(domain.sid).remove());
	console.log(`  domain           ${domain.sid}  ${domain.domainName}`);
	const acl = await client.sip.ipAccessControlLists.create({ friendlyName: name });
	undo.push(() => client.sip.ipAccessControlLists(acl.sid).remove());
	await client.sip.ipAccessControlLists(acl.sid).ipAddresses.create({ friendlyName: 'this machine', ipAddress: ip });
	await client.sip.domains(domain.sid).auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: acl.sid });
	console.log(`  ACL              ${acl.sid}  allows ${ip}`);
	const list = await client.sip.credentialLists.create({ friendlyName: name });
	undo.push(() => client.sip.credentialLists(list.sid).remove());
	await client.sip.credentialLists(list.sid).credentials.create({ username, password });
	await client.sip.domains(domain.sid).auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
	console.log(`  credential list  ${list.sid}  user ${username}`);
	return { domain, username, password, undo };
}

/* Places the call; audio that comes back is captured off the wire. */
async function call({ domain, username, password }, work) {
	const [port, media] = [await freeUdpPort(), (await freeUdpPort()) & ~1];
	const capture = spawn('dumpcap', ['-i', 'any', '-P', '-s', '400', '-w', path.join(work, 'rtp.pcap'), '-f', `udp and dst host ${ip} and dst port ${media}`],
		{ stdio: ['ignore', 'ignore', 'pipe'] });
	await new Promise((resolve, reject) => {
		capture.stderr.on('data', (text) => /^File:/m.test(text) && resolve());
		capture.on('exit', (code) => reject(new Error(`dumpcap ended with ${code}`)));
		capture.on('error', reject);
	});
	const sipp = spawn('sipp', ['-sf', path.join(here, 'call.xml'), '-m', '1', '-i', ip, '-p', port, '-mi', ip, '-mp', media, '-d', 4500, '-au', username,
		'-ap', password, '-auth_uri', `hello@${domain.domainName}`, '-key', 'user', username, '-key', 'domain', domain.domainName, '-key', 'digit', digit,
		'-nostdin', '-timeout', '60', '-timeout_error', '-trace_shortmsg', '-shortmessage_file', path.join(work, 'ladder'), '-trace_err', '-error_file',
		path.join(work, 'errors'), `${ip}:${env.SIP_PORT}`].map(String), { cwd: work, stdio: 'ignore' });
	const code = await new Promise((resolve, reject) => {
		sipp.on('exit', resolve);
		sipp.on('error', reject);
	});
	capture.removeAllListeners('exit');
	await new Promise((resolve) => {
		capture.on('exit', resolve);
		capture.kill('SIGINT');
	});
	return code;
}

function printLadder(file) {
	let start;
	for (const line of fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : []) {
		const [, , at, way, , cseq, first] = line.split('\t');
		const text = first.startsWith('SIP/2.0') ? `${first.slice(8)}  (${cseq.replace(/^CSeq:\s*/, '')})` : first.replace(/ SIP\/2\.0$/, '');
		start ??= Number(at);
		const ms = `${((Number(at) - start) * 1000).toFixed(0).padStart(6)} ms  `;
		console.log(`  ${ms}caller ${way === 'S' ? '------>' : '<------'} Hookswitch   ${text}`);
	}
}

function printWebhooks(webhooks) {
	for (const { path: page, form, signed, body } of webhooks) {
		const shown = ['CallSid', 'CallStatus', 'From', 'To', 'Digits', 'CallDuration'].filter((key) => form[key]);
		console.log(`  POST ${page}  signature ${signed ? 'valid' : 'NOT VALID'}`);
		for (const key of shown)
			console.log(`       ${key} = ${form[key]}`);
		console.log(`       answer: ${body.replace(/<\?xml.*?\?>/, '')}`);
	}
}

async function until(look, seconds) {
	for (const end = Date.now() + seconds * 1000; !(await look()) && Date.now() < end;)
		await new Promise((resolve) => setTimeout(resolve, 50));
}

async function main() {
	const work = fs.mkdtempSync(path.join(os.tmpdir(), 'demo-'));
	const webhooks = [];
	const problems = [];
	const server = await startWebApp(webhooks);

	title('Provisioned through REST with the Node SDK');
	const made = await provision(server.address().port);
	try {
		title(`A call to sip:hello@${made.domain.domainName} (some ten seconds)`);
		if (await call(made, work))
			problems.push('SIPp says that the call failed');
		await until(() => webhooks.some((hook) => hook.path === '/status'), 5);
		printLadder(path.join(work, 'ladder'));
		if (problems.length && fs.existsSync(path.join(work, 'errors')))
			console.log(fs.readFileSync(path.join(work, 'errors'), 'utf8'));

		title('The web application was asked');
		printWebhooks(webhooks);
		const pressed = webhooks.find((hook) => hook.path === '/pressed');
		if (pressed?.form.Digits !== digit)
			problems.push('the key that the caller pressed did not arrive');
		if (webhooks.some((hook) => !hook.signed))
			problems.push('a webhook was not signed with the auth token');

		title('The caller heard');
		const heard = spawnSync('python3', [path.join(here, 'heard.py'), path.join(work, 'rtp.pcap'), path.join(out, 'demo.wav')], { encoding: 'utf8' });
		process.stdout.write(heard.stdout);
		if (heard.status)
			problems.push(heard.stderr.trim().split('\n').pop() || 'no speech was heard');

		title('The call as REST shows it');
		const sid = webhooks[0]?.form.CallSid;
		if (sid) {
			let row = await client.calls(sid).fetch();
			await until(async () => (row = await client.calls(sid).fetch()).status === 'completed', 5);
			console.log(`  ${row.sid}  ${row.status}, ${row.direction}, ${row.duration} s`);
			if (row.status !== 'completed')
				problems.push(`the call is "${row.status}", not completed`);
		}
	} finally {
		for (const remove of made.undo)
			await Promise.resolve().then(remove).catch((error) => problems.push(`clean-up: ${error.message}`));
		server.close();
		fs.rmSync(work, { recursive: true });
	}
	console.log(problems.length ? `\nThe demo failed: ${problems.join('; ')}.` : `\nAll of it worked. Listen to it: tests/out/demo.wav`);
	process.exit(problems.length ? 1 : 0);
}

main().catch((error) => {
	console.error(`The demo failed: ${error.message}`);
	process.exit(1);
});

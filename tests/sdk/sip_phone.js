'use strict';
/* A caller for the tests of live calls: one UDP call, its answer, and its end. What SIP allows beyond that is tests/system's. */
const crypto = require('node:crypto');
const dgram = require('node:dgram');
const { until } = require('./client');

const token = () => crypto.randomBytes(8).toString('hex');

class SipPhone {
	/* Calls sip:user@domain; resolves when the call is answered or refused (this.status). */
	static async call(domain, { user = '100', port = Number(process.env.SIP_PORT || 5060), answered = true } = {}) {
		const phone = new SipPhone();
		phone.port = port;
		phone.uri = `sip:${user}@${domain}`;
		phone.socket = dgram.createSocket('udp4');
		phone.socket.on('message', (data) => phone.received(data.toString()));
		phone.media = dgram.createSocket('udp4');
		for (const socket of [phone.socket, phone.media])
			await new Promise((resolve) => { socket.bind(0, '127.0.0.1', resolve); });
		phone.here = `127.0.0.1:${phone.socket.address().port}`;
		phone.callId = token();
		phone.tag = token();
		phone.branch = `z9hG4bK${token()}`;
		phone.to = `<${phone.uri}>`;
		phone.send('INVITE', phone.uri, 1, phone.branch, [
			'v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${phone.media.address().port} RTP/AVP 0 101`,
			'a=rtpmap:101 telephone-event/8000', ''].join('\r\n'));
		if (answered)
			await until(() => phone.status >= 200, 'a final response');
		return phone;
	}

	send(method, uri, cseq, branch, body = '') {
		const lines = [`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP ${this.here};rport;branch=${branch}`, 'Max-Forwards: 70',
			...(this.routes || []).map((r) => `Route: ${r}`), `From: <sip:sdk@127.0.0.1>;tag=${this.tag}`, `To: ${this.to}`,
			`Call-ID: ${this.callId}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:sdk@${this.here}>`];
		if (body)
			lines.push('Content-Type: application/sdp');
		this.socket.send(`${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, this.port, '127.0.0.1');
	}

	received(text) {
		const head = text.split('\r\n\r\n')[0].split('\r\n');
		const all = (name) => head.slice(1).filter((l) => l.toLowerCase().startsWith(`${name.toLowerCase()}:`))
			.map((l) => l.slice(name.length + 1).trim());
		const status = /^SIP\/2\.0 (\d+)/.exec(head[0]);
		if (!status) {
			const method = head[0].split(' ')[0];
			if (method === 'BYE')
				this.ended = true;
			const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((n) => all(n).map((v) => `${n}: ${v}`));
			if (method !== 'ACK')
				this.socket.send(`SIP/2.0 200 OK\r\n${copied.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, this.port, '127.0.0.1');
			return;
		}
		const code = Number(status[1]), method = all('CSeq')[0].split(' ')[1];
		if (method !== 'INVITE' || code < 200)
			return;
		this.to = all('To')[0];
		if (code < 300) {
			this.routes = all('Record-Route').reverse();
			this.target = /<([^>]+)>/.exec(all('Contact')[0])[1];
			this.send('ACK', this.target, 1, `z9hG4bK${token()}`);
			this.speak(Number(/^m=audio (\d+)/m.exec(text)[1]), /^c=IN IP4 (\S+)/m.exec(text)[1]);
		} else {
			this.send('ACK', this.uri, 1, this.branch);
		}
		this.status = code;
	}

	/* Silence, five packets a second: a party that sends nothing is hung up on. */
	speak(port, ip) {
		let n = 0;
		this.speaking ||= setInterval(() => {
			const packet = Buffer.alloc(172, 0xff);
			packet.writeUInt16BE(0x8000, 0);
			packet.writeUInt16BE(n & 0xffff, 2);
			packet.writeUInt32BE(n * 1600, 4);
			packet.writeUInt32BE(1, 8);
			n += 1;
			this.media.send(packet, port, ip);
		}, 200);
	}

	hangUp() {
		this.send('BYE', this.target, 2, `z9hG4bK${token()}`);
	}

	close() {
		clearInterval(this.speaking);
		this.media.close();
		if (this.status < 300 && !this.ended)
			this.hangUp();
		/* The BYE leaves before the socket does. */
		setImmediate(() => this.socket.close());
	}
}

module.exports = { SipPhone };

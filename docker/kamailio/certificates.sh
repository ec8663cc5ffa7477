#!/bin/sh
# certificates.sh [FOLDER]: a CA and two certificates of the base domain for development, ECDSA and RSA, where FOLDER has none. What
# is there is never touched, but a leaf of this CA that does not name the base domain or this address, or ends within a month.
set -eu

dir="${1:-/etc/hookswitch/tls}"
domain="${HOOKSWITCH_SIP_DOMAIN:-sip.hookswitch.test}"
ip="${PUBLIC_IP:-127.0.0.1}"
cd "$dir"
umask 027

# A key of our own making and nobody else's business: the group of the services reads it, the CA's only its owner.
key()
{
	case "$1" in
	ecdsa) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;;
	*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:$2" ;;
	esac
}

ca()
{
	[ ! -e ca.pem ] || return 0
	# Phones that know no elliptic curves trust it too.
	key rsa 3072 > .ca.key
	chmod 600 .ca.key
	openssl req -x509 -new -key .ca.key -sha256 -days 3650 -subj "/O=Hookswitch/CN=Hookswitch development CA" \
		-addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign -out .ca.pem
	chmod 644 .ca.pem
	mv .ca.key ca.key
	mv .ca.pem ca.pem
}

# good KIND: nothing to do. An operator's own certificate is good whatever it says.
good()
{
	[ -e "$1/cert.pem" ] && [ -e "$1/key.pem" ] || return 1
	[ -e ca.key ] && openssl verify -partial_chain -trusted ca.pem -no_check_time "$1/cert.pem" > /dev/null 2>&1 || return 0
	openssl x509 -in "$1/cert.pem" -noout -checkend 2592000 > /dev/null &&
		openssl x509 -in "$1/cert.pem" -noout -checkhost "x.$domain" | grep -q "does match" &&
		openssl x509 -in "$1/cert.pem" -noout -checkip "$ip" | grep -q "does match"
}

leaf()
{
	good "$1" && return 0
	mkdir -p "$1"
	chmod 755 "$1"
	key "$1" 2048 > "$1/.key.pem"
	chmod 640 "$1/.key.pem"
	openssl req -new -key "$1/.key.pem" -subj "/CN=$domain" -out /tmp/request
	cat > /tmp/extensions <<END
subjectAltName=DNS:$domain,DNS:*.$domain,DNS:localhost,IP:$ip,IP:127.0.0.1
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
END
	openssl x509 -req -in /tmp/request -CA ca.pem -CAkey ca.key -set_serial "0x$(openssl rand -hex 15)" -sha256 -days 825 \
		-extfile /tmp/extensions -out "$1/.cert.pem" 2> /tmp/log || { cat /tmp/log >&2; return 1; }
	chmod 644 "$1/.cert.pem"
	mv "$1/.key.pem" "$1/key.pem"
	mv "$1/.cert.pem" "$1/cert.pem"
	echo "made a development certificate ($1) of $domain"
}

# With certificates of the operator's there is no need of a CA.
good ecdsa && good rsa && exit 0
chmod 755 .
ca
leaf ecdsa
leaf rsa
[ -e ecdsa/names ] || echo "ecdsa.$domain" > ecdsa/names
chmod 644 ecdsa/names

#!/bin/sh
# tls-profiles.sh: writes /run/kamailio/tls.cfg from the settings and the folders of /etc/hookswitch/tls, docs/tls.md. Each folder with
# cert.pem and key.pem is a certificate, served to those who ask for one of its names (SNI); rsa/ to all others.
set -eu

dir="${SIP_TLS_DIR:-/etc/hookswitch/tls}"
out="${1:-/run/kamailio/tls.cfg}"
ciphers=ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384
ciphers=$ciphers:AES128-GCM-SHA256:AES128-SHA256:AES256-GCM-SHA384:AES256-SHA256
[ "${SIP_TLS_SHA1:-1}" = 0 ] || ciphers=$ciphers:AES128-SHA:AES256-SHA
# Asked for; which one it is, the script judges (routes/certificate.cfg).
client=off
[ "${SIP_TLS_CLIENT_CERTIFICATES:-0}" = 0 ] || client=optional_no_ca

die()
{
	echo "hookswitch: $*" >&2
	exit 1
}

# profile HEAD FOLDER
profile()
{
	printf '[%s]\nmethod = TLSv1.2+\ncipher_list = %s\ncertificate = %s/cert.pem\nprivate_key = %s/key.pem\nverify_client = %s\n' "$1" "$ciphers" "$2" "$2" "$client"
}

# The names of a folder's certificate: its file "names", a name a line, or the DNS names that the certificate says.
names()
{
	if [ -e "$1/names" ]; then
		cat "$1/names"
	else
		openssl x509 -in "$1/cert.pem" -noout -ext subjectAltName 2> /dev/null | tr ',' '\n' | sed -n 's/^ *DNS://p'
	fi | tr '[:upper:]' '[:lower:]' | grep -E '^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' || true
}

check()
{
	[ -r "$1/cert.pem" ] || die "$1/cert.pem can't be read: it must be there and readable for group 5061"
	[ -r "$1/key.pem" ] || die "$1/key.pem can't be read: it must be there and readable for group 5061 (chgrp 5061, chmod 640)"
	a=$(openssl x509 -in "$1/cert.pem" -noout -pubkey 2> /dev/null) || die "$1/cert.pem is no certificate in PEM form"
	b=$(openssl pkey -in "$1/key.pem" -pubout 2> /dev/null) || die "$1/key.pem is no private key in PEM form, or needs a password"
	[ "$a" = "$b" ] || die "$1/key.pem is not the key of $1/cert.pem: put the two that belong together there"
}

usual=$dir/rsa
[ -e "$usual/cert.pem" ] || usual=$dir/ecdsa
# A check of the configuration (-c) has no certificates.
[ "${KAMAILIO_CHECK:-0}" = 0 ] || { printf '[server:default]\nmethod = TLSv1.2+\n[client:default]\nmethod = TLSv1.2+\n' > "$out"; exit 0; }
check "$usual"
{
	profile server:default "$usual"
	# Names that are said in full before those below a domain: the first that fits is taken.
	for pass in full below; do
		for folder in "$dir"/*/; do
			folder=${folder%/}
			if [ ! -e "$folder/cert.pem" ] || [ "$folder" = "$usual" ]; then
				continue
			fi
			check "$folder"
			names "$folder" | while read -r name; do
				case "$pass $name" in
				"full *."* | "below "[!*]*) continue ;;
				"below "*) mode=2 name=${name#??} ;;
				*) mode=0 ;;
				esac
				profile server:any "$folder"
				printf 'server_name = %s\nserver_name_mode = %s\n' "$name" "$mode"
			done
		done
	done
	printf '[client:default]\nmethod = TLSv1.2+\n'
	case "${SIP_TLS_VERIFY:-off}" in
	off) printf 'verify_certificate = no\nrequire_certificate = no\n' ;;
	warn) printf 'verify_certificate = no\nrequire_certificate = no\nca_list = %s\n' "$SIP_TLS_CA" ;;
	on) printf 'verify_certificate = yes\nrequire_certificate = yes\nverify_depth = 9\nca_list = %s\n' "$SIP_TLS_CA" ;;
	*) die "SIP_TLS_VERIFY is \"$SIP_TLS_VERIFY\": set it to off, warn or on" ;;
	esac
} > "$out.new"
mv "$out.new" "$out"

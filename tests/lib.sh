# shellcheck shell=bash
# A stack of the tests' own: its own network namespace (everything on 127.0.0.x, nothing else exists there), project name, volumes and
# settings. It runs beside a stack that is up, and leaves nothing behind.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=docker/lib.sh
. "$here/../docker/lib.sh"

export COMPOSE_PROJECT_NAME=${HOOKSWITCH_TEST_PROJECT:-hookswitch-test}
export HOOKSWITCH_TAG=${HOOKSWITCH_TAG:-test}
net=$COMPOSE_PROJECT_NAME-net
work=$(mktemp -d "/tmp/$COMPOSE_PROJECT_NAME.XXXXXX")
out=${TEST_OUT:-$root/tests/out}
export ENV_FILE=$work/env
test_image=hookswitch/test:$HOOKSWITCH_TAG

stack_down()
{
	if [ -f "$ENV_FILE" ] && ! compose down -v > "$work/down.log" 2>&1; then
		say "the tests' stack was not removed: $(tail -n 1 "$work/down.log")"
	fi
	docker rm -f "$net" > /dev/null 2>&1 || true
	rm -rf "$work"
}

setting()
{
	sed -i "/^${1%%=*}=/d" "$ENV_FILE"
	echo "$1" >> "$ENV_FILE"
}

# stack_setting KEY=VALUE...: settings of hookswitchd's on the stack that is up.
stack_setting()
{
	local pair
	for pair in "$@"; do
		setting "$pair"
	done
	"$root/docker/env.sh" "$ENV_FILE"
	compose up -d --no-build > "$work/up.log" 2>&1 || die "the tests' stack did not take $*: $(tail -n 3 "$work/up.log")"
	"$root/docker/wait-healthy.sh"
}

# stack_up [KEY=VALUE ...]: settings that differ from the defaults. All that asks it comes from one loopback address, and its web
# applications are there too.
stack_up()
{
	local pair
	set -- WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/16 API_REQUESTS_PER_SECOND=0 API_AUTH_FAILURES_PER_MINUTE=0 API_CONNECTIONS_PER_ADDRESS=0 \
		WEBHOOK_CA_FILE=/etc/hookswitch/tls/test/ca.pem "$@"
	cp "$root/.env.example" "$ENV_FILE"
	sed -i -e 's|^PUBLIC_IP=.*|PUBLIC_IP=127.0.0.1|' -e "s|^NETWORK_MODE=.*|NETWORK_MODE=container:$net|" "$ENV_FILE"
	for pair in "$@"; do
		setting "$pair"
	done
	"$root/docker/env.sh" "$ENV_FILE"
	"$root/docker/build.sh"
	docker rm -f "$net" > /dev/null 2>&1 || true
	docker run -d --name "$net" --network none "$test_image" sleep infinity > /dev/null
	compose up -d --no-build > "$work/up.log" 2>&1 || die "the tests' stack did not start: $(tail -n 3 "$work/up.log")"
	stack_certificates
	"$root/docker/wait-healthy.sh"
}

# Certificates that the tests' own authority signed, in the stack's volume of certificates and in /out/tls of in_stack: "here" of 127.0.0.1, for
# the API and for web applications, "other" of another name; and "stranger" of 127.0.0.1, which nobody signed. The authority is ca.pem.
stack_certificates()
{
	mkdir -p "$out"
	docker run --rm --network none -v "${COMPOSE_PROJECT_NAME}_tls:/tls" -v "$out:/out" "$test_image" sh -ec '
		rm -rf /out/tls && mkdir -p /tls/test /out/tls && cd /out/tls
		self="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
		$self -subj "/CN=Test authority" -keyout /tmp/ca.key -out ca.pem
		$self -subj "/CN=stranger" -addext subjectAltName=IP:127.0.0.1 -keyout stranger.key -out stranger.pem
		for pair in here=IP:127.0.0.1 other=DNS:other.example; do
			name=${pair%=*}
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout $name.key -out /tmp/$name.csr
			echo "subjectAltName=${pair#*=}" > /tmp/$name.ext
			openssl x509 -req -in /tmp/$name.csr -CA ca.pem -CAkey /tmp/ca.key -CAserial /tmp/ca.srl -CAcreateserial -days 2 -extfile /tmp/$name.ext -out $name.pem
		done
		chmod 444 ./*
		cp ca.pem here.pem here.key /tls/test' > "$work/certificate.log" 2>&1 ||
		die "the certificate of the tests was not made: $(tail -n 1 "$work/certificate.log")"
}

# A command in the test image, in the stack's namespace. The tree is read-only; /out is the tests' own.
in_stack()
{
	mkdir -p "$out"
	docker run --rm --network "container:$net" --pid host -v "${COMPOSE_PROJECT_NAME}_tls:/tls" -v "$root:/src:ro" -v "$out:/out" -v /var/run/docker.sock:/var/run/docker.sock \
		-v hookswitch-node-modules:/node_modules -w /src \
		-e COMPOSE_PROJECT_NAME -e NODE_EXTRA_CA_CERTS -e SIP_TLS_VERIFY="$(env_value "$ENV_FILE" SIP_TLS_VERIFY off)" -e HOOKSWITCH_API="$(api_url)" \
		-e HOOKSWITCH_ACCOUNT_SID="$(env_value "$ENV_FILE" HOOKSWITCH_ACCOUNT_SID)" \
		-e HOOKSWITCH_AUTH_TOKEN="$(env_value "$ENV_FILE" HOOKSWITCH_AUTH_TOKEN)" \
		-e HOOKSWITCH_SIP_DOMAIN="$(env_value "$ENV_FILE" HOOKSWITCH_SIP_DOMAIN)" -e PYTHONDONTWRITEBYTECODE=1 "$test_image" "$@"
}

# The SDK's modules, by lock file, in a volume that stays: npm's registry is asked once.
node_modules()
{
	local bundle=/etc/ssl/certs/ca-certificates.crt ca=()
	# What the host trusts, so that a proxy of its own is no obstacle.
	[ ! -f "$bundle" ] || ca=(-v "$bundle:$bundle:ro" -e "NODE_EXTRA_CA_CERTS=$bundle" -e "npm_config_cafile=$bundle")
	docker run --rm --network host -v "$root/tests/sdk:/sdk:ro" -v hookswitch-node-modules:/node_modules \
		"${ca[@]}" -w /tmp "$test_image" sh -c '
		sum=$(sha256sum < /sdk/package-lock.json)
		[ "$(cat /node_modules/.lock 2> /dev/null)" = "$sum" ] && exit 0
		cp /sdk/package.json /sdk/package-lock.json . && npm ci --no-audit --no-fund > npm.log 2>&1 || { tail -n 5 npm.log; exit 1; }
		find /node_modules -mindepth 1 -delete && cp -r node_modules/. /node_modules/ && echo "$sum" > /node_modules/.lock' ||
		die "npm could not install the Node SDK; see the lines above"
}

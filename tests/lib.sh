# shellcheck shell=bash
# A stack of the tests' own: its own network namespace (everything on 127.0.0.x, nothing else exists there), project name, volumes and
# settings. It runs beside a stack that is up, and leaves nothing behind.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=docker/lib.sh
. "$here/../docker/lib.sh"

project=${HOOKSWITCH_TEST_PROJECT:-hookswitch-test}
net=$project-net
work=$(mktemp -d "/tmp/$project.XXXXXX")
out=${TEST_OUT:-$root/tests/out}
env_file=$work/env
export COMPOSE_PROJECT_NAME=$project ENV_FILE=$env_file
test_image=hookswitch/test:latest

stack_down() {
	[ ! -f "$env_file" ] || compose down -v --remove-orphans > "$work/down.log" 2>&1 || true
	docker rm -f "$net" > /dev/null 2>&1 || true
	rm -rf "$work"
}

build_test_image() {
	"$root/docker/base-image.sh"
	"$root/docker/build.sh" test
}

# stack_up [KEY=VALUE ...]: settings that differ from the defaults.
stack_up() {
	local pair
	cp "$root/.env.example" "$env_file"
	sed -i -e 's|^PUBLIC_IP=.*|PUBLIC_IP=127.0.0.1|' -e "s|^NETWORK_MODE=.*|NETWORK_MODE=container:$net|" "$env_file"
	for pair in "$@"; do
		sed -i "/^${pair%%=*}=/d" "$env_file"
		echo "$pair" >> "$env_file"
	done
	"$root/docker/env.sh" "$env_file"
	docker rm -f "$net" > /dev/null 2>&1 || true
	docker run -d --name "$net" --network none "$test_image" sleep infinity > /dev/null
	say "building the stack"
	"$root/docker/build.sh"
	say "starting the stack"
	compose up -d --no-build > "$work/up.log" 2>&1 || die "the stack did not start: $(tail -n 3 "$work/up.log")"
	"$root/docker/wait-healthy.sh"
}

# A command in the test image, in the stack's namespace. The tree is read-only; /out is the tests' own.
in_stack() {
	mkdir -p "$out"
	docker run --rm --network "container:$net" --pid host -v "$root:/src:ro" -v "$out:/out" -v /var/run/docker.sock:/var/run/docker.sock \
		-v hookswitch-node-modules:/node_modules -w /src \
		-e COMPOSE_PROJECT_NAME="$project" -e HOOKSWITCH_API="http://127.0.0.1:$(env_value "$env_file" API_PORT)" \
		-e HOOKSWITCH_ACCOUNT_SID="$(env_value "$env_file" HOOKSWITCH_ACCOUNT_SID)" \
		-e HOOKSWITCH_AUTH_TOKEN="$(env_value "$env_file" HOOKSWITCH_AUTH_TOKEN)" \
		-e HOOKSWITCH_SIP_DOMAIN="$(env_value "$env_file" HOOKSWITCH_SIP_DOMAIN)" -e PYTHONDONTWRITEBYTECODE=1 "$test_image" "$@"
}

# The SDK's modules, by lock file, in a volume that stays: npm's registry is asked once.
node_modules() {
	say "installing the Node SDK"
	docker run --rm --network host -v "$root/tests/sdk:/sdk:ro" -v hookswitch-node-modules:/node_modules \
		-v /etc/ssl/certs/ca-certificates.crt:/ca.crt:ro -e NODE_EXTRA_CA_CERTS=/ca.crt -w /tmp "$test_image" sh -c '
		sum=$(sha256sum < /sdk/package-lock.json)
		[ "$(cat /node_modules/.lock 2> /dev/null)" = "$sum" ] && exit 0
		cp /sdk/package.json /sdk/package-lock.json . && npm ci --no-audit --no-fund --cafile /ca.crt > npm.log 2>&1 || { tail -n 5 npm.log; exit 1; }
		find /node_modules -mindepth 1 -delete && cp -r node_modules/. /node_modules/ && echo "$sum" > /node_modules/.lock' ||
		die "npm could not install the Node SDK; see the lines above"
}

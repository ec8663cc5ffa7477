#!/usr/bin/env bash
# secrets.sh FILE: gives the containers what the settings file says, its secrets as files instead of environment, where every child, a
# crash report and docker inspect would show them: .secrets/ beside FILE, which only its owner can enter. FILE stays what is edited.
# shellcheck source=docker/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

file=$1
dir=$(secrets_dir "$file")
mkdir -p "$dir" && chmod 700 "$dir"

# put NAME: standard input, when it is something else than what is there. Containers see the file alone, as a user of their own.
put()
{
	local new
	new=$(mktemp "$dir/.new.XXXXXX")
	cat > "$new"
	if cmp -s "$new" "$dir/$1"; then
		rm "$new"
	else
		chmod 444 "$new"
		# The same file: a container that runs has it mounted.
		if [ -e "$dir/$1" ]; then chmod 644 "$dir/$1" && cat "$new" > "$dir/$1" && chmod 444 "$dir/$1" && rm "$new"; else mv "$new" "$dir/$1"; fi
	fi
}

for pair in $secrets; do
	name=${pair%%:*}
	env_value "$file" "${pair#*:}" | put "$name"
	# Compose makes a container anew when its environment changes, not when a file does.
	echo "${name^^}_CHANGED=$(stat -c %.9Y "$dir/$name")" | put "$name.env"
done
keys=$(for pair in $secrets; do printf '%s|' "${pair#*:}"; done)
grep -vE "^(${keys%|})=" "$file" | put settings.env

# shellcheck shell=bash
# What quickstart and check share: the packages that are missing, and a build directory brought up to date.
# Sourced with the source tree's root as working directory.

say() {
	printf '%s\n' "$*"
}

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		fail "cannot run '$*': not root, and there is no sudo; install the packages as root, then run this again"
	fi
}

# holds PROBE ARGUMENT: is it there already, from whatever source?
holds() {
	case $1 in
	command) command -v "$2" ;;
	header) [ -e "/usr/include/$2" ] ;;
	library) pkg-config --exists "$2" ;;
	module) python3 -c "import $2" ;;
	node) [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$2" ] ;;
	python) python3 -c "import sys; sys.exit(sys.version_info < (${2/./, }))" ;;
	*) fail "packaging/debian-packages: unknown probe '$1'" ;;
	esac >/dev/null 2>&1
}

# missing_packages USE...: the packages for these uses whose probes do not hold, one a line.
missing_packages() {
	local use package probe argument
	while read -r use package probe argument; do
		case " $* " in
		*" $use "*) holds "$probe" "$argument" || say "$package" ;;
		esac
	done < <(grep -v '^#' packaging/debian-packages)
}

install_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		fail "missing: ${missing[*]} (Debian names), and there is no apt-get: install them, then run this again"
	say "installing ${missing[*]}"
	as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
	mapfile -t missing < <(missing_packages "$@")
	[ "${#missing[@]}" -eq 0 ] || fail "installed, but still not usable: ${missing[*]}"
}

# build DIRECTORY OPTION...: configures it (anew if its options have changed), then compiles what has changed, of
# everything or of the files that $targets names.
build() {
	local directory=$1
	shift
	if [ ! -e "$directory/build.ninja" ] || [ "$(cat "$directory/options" 2>/dev/null)" != "$*" ]; then
		rm -rf "$directory"
		meson setup "$directory" "$@" || return
		printf '%s\n' "$*" >"$directory/options"
	fi
	# shellcheck disable=SC2086 # a list of words
	ninja -C "$directory" ${targets:-}
}

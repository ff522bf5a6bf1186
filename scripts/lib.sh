# Words that the scripts share; sourced, not run.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need PACKAGE...: installs the Debian packages that are missing, and only those.
need() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    echo "installing: ${missing[*]}"
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
            "${missing[@]}" >"${TMPDIR:-/tmp}/steerd-apt.$$" 2>&1; then
        # An old package list is the usual reason.
        as_root apt-get update -q >/dev/null
        if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
                "${missing[@]}" >"${TMPDIR:-/tmp}/steerd-apt.$$" 2>&1; then
            cat "${TMPDIR:-/tmp}/steerd-apt.$$" >&2
            return 1
        fi
    fi
    rm -f "${TMPDIR:-/tmp}/steerd-apt.$$"
}

# The tests need name servers as programs, never as services on this machine's ports.
need_without_services() {
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        made=1
    fi
    local status=0
    need "$@" || status=$?
    [ -z "$made" ] || as_root rm -f "$policy"
    return $status
}

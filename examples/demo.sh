#!/usr/bin/env bash
# The main job, end to end, against the sandbox providers: validate, plan, apply (one credential refused), list, fix it,
# apply again, plan, list. Everything that it makes lies in a temporary folder, which is removed at the end.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/credentials.yaml" "$work/"
cd "$work"
export XDG_CONFIG_HOME="$work/config" RECONCILER_SANDBOX=1 COLUMNS="${COLUMNS:-120}"
wrong=0000000000000000-not-the-right-key

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
run() { # echo a command, run it, and hold its exit code against the one expected
    local expected=$1 code=0
    shift
    printf '\n\033[1m$ %s\033[0m\n' "$*"
    "$@" || code=$?
    [ "$code" = "$expected" ] || { echo "demo: exit $code, expected $expected" >&2; exit 1; }
}

say "The providers are the sandbox's, on this machine: no account, no network. --sandbox behind each command says the same"
printf '\n\033[1m$ %s\033[0m\n' 'export RECONCILER_SANDBOX=1'

say "The manifest: three credentials, secrets by reference"
run 0 cat credentials.yaml

say "Check it offline"
run 0 reconciler validate

say "The secrets that the sandbox accepts come into the environment; then one of them goes wrong"
printf '\n\033[1m$ %s\033[0m\n' 'eval "$(reconciler sandbox env --write-files .)"'
eval "$(reconciler sandbox env --write-files .)"
right=$INFOBIP_API_KEY
printf '\n\033[1m$ %s\033[0m\n' "export INFOBIP_API_KEY=$wrong"
export INFOBIP_API_KEY=$wrong

run 0 reconciler plan
say "Apply: two are proven and stored; the third is refused by its provider, and stored nowhere"
run 3 reconciler apply --yes
run 0 reconciler list

say "Put the right key behind the reference, and apply again"
printf '\n\033[1m$ %s\033[0m\n' "export INFOBIP_API_KEY=$right"
export INFOBIP_API_KEY=$right
run 0 reconciler apply --yes

say "Now nothing is left to do"
run 0 reconciler plan --detailed-exitcode
run 0 reconciler list

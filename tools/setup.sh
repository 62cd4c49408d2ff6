#!/bin/sh
# Makes .venv with the pinned packages and this project; does nothing where that is done already.
set -eu
cd "$(dirname "$0")/.."

refuse() {
    echo "$1" >&2
    exit 1
}

ways='build the Dockerfile with --platform linux/amd64, or use Google Colab, or WSL on Windows'
system=$(uname -s)
machine=$(uname -m)
case "$system-$machine" in
    Linux-x86_64 | Linux-amd64)
        getconf GNU_LIBC_VERSION >/dev/null 2>&1 ||
            refuse "MXNet 1.9.1 has no wheel for a Linux without glibc (such as Alpine): $ways." ;;
    Darwin-x86_64) ;;
    *)
        refuse "MXNet 1.9.1 has no working wheel for $system on $machine, only for Linux with \
glibc and macOS, both on x86_64: $ways." ;;
esac

# A venv made elsewhere, half made, or made from other pins is made again.
stamp=$(cat requirements.txt pyproject.toml tools/setup.sh | cksum)" $(pwd)"
if [ -x .venv/bin/python ] && [ "$(cat .venv/d2lrec.stamp 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi

# What requirements.txt serves; the newest of several, unless python3 itself will do.
check='import sys, venv, ensurepip; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 14))'
python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
    if "$candidate" -c "$check" >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ] && ! command -v uv >/dev/null 2>&1; then
    refuse "This book needs one of Python 3.9 to 3.14 with its venv module, for which its packages \
are pinned, and found none: install python3.13 and python3.13-venv, or uv (which brings it), or $ways."
fi

echo "Making .venv"
rm -rf .venv
if [ -n "$python" ]; then
    "$python" -m venv .venv
else
    uv venv --seed --python 3.13 .venv ||
        refuse "uv could not provide Python 3.13 (its message is above): install python3.13 and \
python3.13-venv, or $ways."
fi

# Without what the packages ask for: requirements.txt is complete, and MXNet asks for an old NumPy.
echo "Installing the packages of requirements.txt (about 400 MB to download the first time)"
.venv/bin/python -m pip install --disable-pip-version-check --require-hashes --no-deps \
    -r requirements.txt
# editable_mode: by a path. By its finder the folder of a clone, d2lrec, would come first where a
# script runs beside it, as a package without a thing in it.
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps \
    --no-build-isolation --config-settings editable_mode=compat --editable .
echo "$stamp" >.venv/d2lrec.stamp

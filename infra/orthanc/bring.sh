#!/usr/bin/env bash
# Orthanc with its DICOMweb and Python plugins: the one installed, or Debian's packages unpacked into
# build/orthanc. They are not installed, since that would start a service on ports 8042 and 4242.
set -euo pipefail
cd "$(dirname "$0")"
packages=(orthanc orthanc-dicomweb orthanc-python)
folder=$(cd ../.. && pwd)/build/orthanc
program=usr/sbin/Orthanc

if [ -x "/$program" ] && [ -e /usr/share/orthanc/plugins/libOrthancPython.so ]; then
  echo "Orthanc: /$program"
  exit
fi
if [ -x "$folder/root/$program" ]; then
  echo "Orthanc: $folder/root/$program"
  exit
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  echo "Orthanc is brought from Debian's packages, which need apt-get and dpkg; install Orthanc and" \
    "its DICOMweb and Python plugins" >&2
  exit 1
fi
mkdir -p "$folder/packages"
cd "$folder/packages"
# What is missing on this machine, with what it depends on.
missing=$(apt-get install --no-install-recommends --print-uris -qq "${packages[@]}" |
  sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p")
# shellcheck disable=SC2086 # names of packages
apt-get download -qq -o APT::Sandbox::User="$(id -un)" $missing
rm -rf ../root.part
for each in *.deb; do dpkg -x "$each" ../root.part; done
mv ../root.part ../root
cd ..
rm -r packages
echo "Orthanc: $folder/root/$program"

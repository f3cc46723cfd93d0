#!/bin/sh
# Installs the application into the IRIS of this image, when the image is built.
#
# Each line of install.script is executed alone, as if it were typed, and a session does not fail by itself: the script ends its process
# with status 1 on an error, and what it says at its end is looked for here.
set -eu
home=/opt/myapp
install=${ISC_PACKAGE_INSTALLDIR:-/usr/irissys}

fail() {
  echo "ERROR: $*" >&2
  exit 1
}

command -v iris >/dev/null || fail "the base image has no command iris: BASE must be an image of InterSystems IRIS"

# A constant of the image: in a global of the data it would be hidden by the database on the volume.
date -u +%Y-%m-%dT%H:%M:%SZ >"$home/built"

iris start IRIS quietly || fail "IRIS does not start"
iris merge IRIS "$home/install.cpf" || fail "IRIS does not take install.cpf"
said=$(iris session IRIS -U MYAPP <"$home/install.script") || fail "install.script failed: $said"
stopped=yes
iris stop IRIS quietly || stopped=no

if [ ! -d "$install/mgr" ]; then
  # Such as an image for tests, whose `iris` takes every command and does nothing.
  echo "WARNING: the base image has no InterSystems IRIS in $install, only a command iris: the application was not installed"
  exit 0
fi
case $said in
  *"MyApp is installed"*) ;;
  *) fail "install.script did not come to its end: $said" ;;
esac
[ "$stopped" = yes ] || fail "IRIS does not stop"
# A database that cannot be written is not copied to the volume of the instance: its code stays that of the image.
chmod -R a-w "$home/code"

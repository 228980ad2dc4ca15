#!/bin/sh
# A night in a quarter of an hour: thirty tasks for real Pi and Claude Code, and their provider, a stand-in on loopback, is away for ten minutes.
# It judges that no task is lost, and prints the starts it took. Not part of the tests: it waits for most of its time.
# Needs dist/ (scripts/build.sh), or COLIBRI_BIN_DIR; fetches the agents as the end-to-end tests do.
set -eu
cd "$(dirname -- "$0")/.."
COLIBRI_BIN_DIR=${COLIBRI_BIN_DIR:-$PWD/dist}
export COLIBRI_BIN_DIR
dotnet build tests/Colibri.EndToEndTests -c Release -v q
exec tests/Colibri.EndToEndTests/bin/Release/net10.0/Colibri.EndToEndTests --progress off --output Detailed --treenode-filter '/*/*/NightCampaign/*'

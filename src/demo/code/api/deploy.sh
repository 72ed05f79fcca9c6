#!/bin/sh
# Run by the pipeline, with a group access token in $DEPLOY_TOKEN.
set -eu
git clone --depth 1 "https://deploy:${DEPLOY_TOKEN}@git.acme.example/acme/platform/api.git" build
cd build
cargo build --release

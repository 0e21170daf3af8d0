#!/bin/sh
# Prints keys and a password of your own for docker/compose.yaml: sh docker/new-env.sh > docker/.env
# Keep the output: what is sealed with SECRETS_KEYS can be opened with nothing else.
set -eu
umask 077
cat <<ENV
POSTGRES_PASSWORD=$(openssl rand -hex 24)
AUTH_TOKEN_KEYS=k1:$(openssl rand -base64 32)
SECRETS_KEYS=k1:$(openssl rand -base64 32)
DOWNLOAD_SIGNING_KEYS=k1:$(openssl rand -base64 32)
MANIFEST_SIGNING_KEY=$(openssl genpkey -algorithm ed25519 -outform DER | openssl base64 -A)
ENV

# Holdpoint's image. Build: docker build -t holdpoint:0.1.0 .
# Pin the base by digest for a release: --build-arg BASE=node:24-slim@sha256:...
ARG BASE=node:24-slim

# Compiles TypeScript to dist/. Everything here, development dependencies included, stays behind.
FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY config ./config
RUN npm run build

# What runs, and nothing else: a clean install without development dependencies, not a pruned one.
# The import proves that the native binding is one this base can load.
FROM ${BASE} AS runtime-deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && node --input-type=module -e 'await import("classic-level")'

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Holdpoint" \
  org.opencontainers.image.description="A sidecar that records every call to a language model, seals it into a tamper-evident ledger, and holds the risky ones for a person." \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"

# A running sidecar installs nothing, so no package manager stays in reach of whoever gets in.
# /data is the only place the process may write; its owner is the numeric user below.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn-* /usr/local/bin/npm /usr/local/bin/npx \
    /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
  && install -d -o 65532 -g 65532 -m 0700 /data

# Code and configuration belong to root: the process cannot change what it runs.
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=runtime-deps /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY config ./config
COPY config /etc/holdpoint

# These two places are fixed in the image, whatever the configuration file says, so that a mounted
# file written for a checkout cannot send the ledger to the read-only root. The listeners keep their
# safe default, loopback; HOLDPOINT_CONTROL_LISTEN=0.0.0.0:8788 opens the control port.
# One heap of malloc for all threads: bodies come and go on one of them, and the others' heaps only keep what they had.
ENV NODE_ENV=production \
  MALLOC_ARENA_MAX=1 \
  HOLDPOINT_DATA_DIR=/data \
  HOLDPOINT_POLICY_FILE=/etc/holdpoint/policy.yaml

# Numeric, so that Kubernetes can check runAsNonRoot without reading /etc/passwd.
USER 65532:65532
VOLUME ["/data"]
# Control only. The data plane answers on the loopback that sidecar and workload share.
EXPOSE 8788
STOPSIGNAL SIGTERM

# The port follows HOLDPOINT_CONTROL_LISTEN; a port set in the configuration file alone is not seen here.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["node", "-e", "const port = /:(\\d+)$/.exec(process.env.HOLDPOINT_CONTROL_LISTEN ?? '')?.[1] ?? '8788'; fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2500) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1));"]

# The nursery of V8 takes a quarter of a gigabyte by itself on a large machine, and serves no call faster. By default V8 would
# collect the whole heap every second or two under load, on every core, while calls wait for their turn. And in one process of
# three it would take the objects of calls for such as stay, for good: each call then takes a quarter more CPU.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=130", "--no-allocation-site-pretenuring", "/app/dist/main.js"]
CMD ["run", "--config", "/etc/holdpoint/holdpoint.yaml"]

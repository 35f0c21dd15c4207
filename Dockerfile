# One image for all roles: docker build -t korproxy:0.1.0 .
#
# A release pins the digests of both bases, as nobody can say what a tag will be tomorrow:
#   --build-arg BUILD_BASE=node:24-bookworm-slim@sha256:… --build-arg BASE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:…
ARG BUILD_BASE=node:24-bookworm-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install script of a dependency runs: none of those that the bundle needs has one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/build.ts scripts/
COPY src src
RUN node scripts/build.ts
COPY LICENSE ./
RUN mkdir -p /app /state \
  && npm sbom --omit=dev --package-lock-only --sbom-format=cyclonedx > /app/sbom.cdx.json \
  && mv dist package.json LICENSE /app/

# Compiled code, made by the very Node that will read it and as the user that it will run as. The entry comes first: it sets a flag of
# V8, and V8 takes compiled code only under the flags that it was compiled under.
FROM ${BASE} AS compile
COPY --from=build --chown=65532:65532 /app /app
ENV NODE_COMPILE_CACHE=/app/compiled
USER 65532:65532
RUN ["/nodejs/bin/node", "--input-type=module", "--eval", "import { readdirSync } from 'node:fs'; import { flushCompileCache } from 'node:module'; await import('/app/dist/korproxy.js'); for (const file of readdirSync('/app/dist')) if (file.endsWith('.js')) await import(`/app/dist/${file}`); flushCompileCache()"]

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="KorProxy" \
  org.opencontainers.image.description="The AI gateway of Kubernetes" \
  org.opencontainers.image.url="https://korproxy.dev" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}"
COPY --from=build /app /app
COPY --from=compile /app/compiled /app/compiled
COPY --from=build --chown=65532:65532 /state /var/lib/korproxy
# One heap of glibc for all threads: V8's compiler threads would keep 30 MB in heaps of their own.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compiled MALLOC_ARENA_MAX=1
USER 65532:65532
WORKDIR /etc/korproxy
EXPOSE 1337 1339
ENTRYPOINT ["/nodejs/bin/node", "--enable-source-maps", "--max-old-space-size-percentage=70", "/app/dist/korproxy.js"]
CMD ["serve", "--config", "/etc/korproxy", "--host", "0.0.0.0", "--state-dir", "/var/lib/korproxy"]

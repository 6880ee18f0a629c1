# One recipe for all six services:
#   docker build --build-arg SERVICE=auth --tag shop-auth .
# The stages up to `build` are shared, so the code is compiled once for all six images.

FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/core/package.json packages/core/
COPY packages/shop/package.json packages/shop/
COPY services/auth/package.json services/auth/
COPY services/product/package.json services/product/
COPY services/transaction/package.json services/transaction/
COPY services/address/package.json services/address/
COPY services/store/package.json services/store/
COPY services/file/package.json services/file/

FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.base.json ./
COPY packages/ packages/
COPY services/ services/
RUN npx tsc -b services/*

# Only the files that one service needs at run time. The folders of the service, packages/core and packages/shop keep their
# paths, because links in node_modules point to them.
FROM manifests AS production
ARG SERVICE
RUN test -n "$SERVICE" || { echo "--build-arg SERVICE=auth|product|transaction|address|store|file is missing" >&2; exit 1; }
RUN npm ci --ignore-scripts --omit=dev --workspace="services/$SERVICE" \
  && npm cache clean --force \
  && mkdir -p out/packages out/services \
  && mv node_modules package.json out/ \
  && mv packages/core packages/shop out/packages/ \
  && mv "services/$SERVICE" out/services/
COPY --from=build /app/packages/core/dist out/packages/core/dist
COPY --from=build /app/packages/shop/dist out/packages/shop/dist
COPY --from=build /app/services/$SERVICE/dist out/services/$SERVICE/dist
COPY scripts/healthcheck.mjs out/scripts/

FROM node:24-bookworm-slim
ARG SERVICE
# The uploads folder, used unless they are in a bucket. A new volume inherits the owner.
RUN mkdir -p /data/uploads && chown -R node:node /data
COPY --from=production /app/out /app
WORKDIR /app/services/$SERVICE
ENV NODE_ENV=production SERVICE=$SERVICE UPLOAD_PATH=/data/uploads
USER node
# Last, so that a new revision does not rebuild the layers above.
ARG GIT_REVISION=unknown
ENV GIT_REVISION=$GIT_REVISION
LABEL org.opencontainers.image.title="Open shop: $SERVICE" \
  org.opencontainers.image.description="One of the six services of a multi-vendor shop" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.revision="$GIT_REVISION"
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --start-interval=3s --retries=3 \
  CMD ["node", "/app/scripts/healthcheck.mjs"]
# No shell: node is PID 1 and receives SIGTERM directly.
ENTRYPOINT ["node", "dist/main.js"]

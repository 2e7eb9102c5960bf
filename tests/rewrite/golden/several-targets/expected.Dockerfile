FROM node:20 AS base
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .

FROM base AS test
CMD npm test

FROM base AS release
CMD ["node", "src/index.js"]

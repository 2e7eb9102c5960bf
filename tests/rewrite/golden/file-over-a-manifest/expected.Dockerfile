FROM node:20
WORKDIR /app
COPY . .
COPY prod/package.json ./
RUN --mount=type=cache,target=/root/.npm npm install
CMD ["node", "src/index.js"]

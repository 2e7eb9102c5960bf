FROM node:20
WORKDIR /app
COPY package.json .
RUN --mount=type=cache,target=/root/.npm npm install
COPY src ./src
CMD ["node", "src/index.js"]

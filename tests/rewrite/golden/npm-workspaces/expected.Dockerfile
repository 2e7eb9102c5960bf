FROM node:20
USER node
WORKDIR /home/node/app
COPY package.json package-lock.json ./
COPY web/package.json ./web/
RUN npm ci && npm cache clean --force
COPY . .
CMD ["node", "web/index.js"]

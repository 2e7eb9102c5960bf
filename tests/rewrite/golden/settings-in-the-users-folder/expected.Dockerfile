FROM node:20
WORKDIR /home/node/app
COPY index.js ./
COPY .npmrc /home/node/
COPY package.json ./
USER node
RUN npm install && npm cache clean --force
CMD ["node", "index.js"]

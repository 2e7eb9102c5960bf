FROM node:20
COPY --chown=node:node src /app
USER node
CMD ["node", "/app/index.js"]

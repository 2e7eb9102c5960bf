import pino from "pino";
import pinoHttp from "pino-http";
import express from "express";

import { makeApp } from "./app";
import { Links } from "./links";

const log = pino();
const links = new Links();
links.add("https://nodejs.org/en/learn", "learn");
const port = Number(process.env.PORT ?? 3000);

const server = express()
  .use(pinoHttp({ logger: log }))
  .use(makeApp(links))
  .listen(port, () => log.info({ port }, "listening"));

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    log.info({ signal }, "closing");
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

import compression from "compression";
import express, { Express } from "express";
import helmet from "helmet";

import { Links, NewLink } from "./links";

const root = process.cwd();

export function makeApp(links: Links): Express {
  const assets = JSON.parse(readFileSync(join(root, "dist", "assets.json"), "utf8")) as Record<string, string>;
  const app = express();
  app.set("view engine", "ejs");
  app.set("views", join(root, "views"));
  app.use(helmet(), compression(), express.json());
  app.use("/public", express.static(join(root, "public"), { maxAge: "365d" }));

  app.get("/", (_request, response) => response.render("index", { links: links.all(), assets }));
  app.get("/health", (_request, response) => response.json({ status: "ok", node: process.versions.node }));
  app.get("/links", (_request, response) => response.json(links.all()));
  app.post("/links", (request, response) => {
    const wanted = NewLink.safeParse(request.body);
    if (!wanted.success) {
      return response.status(400).json(wanted.error.format());
    }
    return response.status(201).json(links.add(wanted.data.url));
  });
  app.get("/l/:id", (request, response) => {
    const link = links.visit(request.params.id);
    return link ? response.redirect(link.url) : response.status(404).render("missing", { assets });
  });
  return app;
}

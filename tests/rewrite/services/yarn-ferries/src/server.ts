import { readFileSync } from "node:fs";
import Fastify from "fastify";

type Crossing = { from: string; to: string; minutes: number };

const crossings: Crossing[] = JSON.parse(readFileSync("data/crossings.json", "utf8"));
const app = Fastify();

app.get("/health", async () => ({ status: "ok" }));
app.get("/crossings", async () => crossings);
app.get<{ Params: { from: string } }>("/crossings/:from", async (request, reply) => {
  const found = crossings.filter((each) => each.from === request.params.from);
  return found.length > 0 ? found : reply.code(404).send({ error: `no ferry from ${request.params.from}` });
});

await app.listen({ host: "0.0.0.0", port: 3000 });
process.once("SIGTERM", () => app.close());

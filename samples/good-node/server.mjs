// Says which media type a file name has.
import { createServer } from "node:http";
import mime from "mime";

const server = createServer((request, response) => {
  const name = decodeURIComponent(request.url ?? "/").slice(1);
  const type = name === "health" ? "ok" : mime.getType(name);
  response.writeHead(type ? 200 : 404, { "content-type": "text/plain" }).end(`${type ?? "unknown"}\n`);
});
server.listen(3000);
process.on("SIGTERM", () => server.close(() => process.exit(0)));

// Writes { "name": "name?v=hash" } for every file of a folder, so that browsers may keep them for ever.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, output] = process.argv.slice(2);
if (!folder || !output) {
  throw new Error("usage: fingerprint FOLDER OUTPUT");
}
const names = readdirSync(folder).sort();
const entries = names.map((name) => {
  const hash = createHash("sha256").update(readFileSync(join(folder, name))).digest("hex").slice(0, 10);
  return [name, `/public/${name}?v=${hash}`];
});
writeFileSync(output, JSON.stringify(Object.fromEntries(entries), null, 2));

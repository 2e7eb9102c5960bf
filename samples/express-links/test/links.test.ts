import assert from "node:assert/strict";
import test from "node:test";

import { Links, NewLink } from "../src/links";

test("a visit is counted", () => {
  const links = new Links();
  const { id } = links.add("https://example.org/");
  links.visit(id);
  assert.equal(links.all()[0]?.visits, 1);
});

test("an address that is none is refused", () => {
  assert.equal(NewLink.safeParse({ url: "no address" }).success, false);
});

"use strict";
(() => {
  const make = (tag, props, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  };

  const value = (row, column) => {
    const cell = row.cells[column];
    return "n" in cell.dataset ? Number(cell.dataset.n) : cell.textContent.trim();
  };
  const inOrder = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en"));

  const sortBy = (table, header, column) => {
    const down = header.getAttribute("aria-sort") !== "descending";
    const rows = [...table.tBodies[0].rows].map((row) => [value(row, column), row]);
    rows.sort((a, b) => (down ? inOrder(b[0], a[0]) : inOrder(a[0], b[0])));
    table.tBodies[0].append(...rows.map((pair) => pair[1]));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.dispatchEvent(new Event("sorted"));
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = make("button", { type: "button" }, header.textContent);
      button.addEventListener("click", () => sortBy(table, header, column));
      header.replaceChildren(button);
    });
  }

  const FEW = 40;
  let count = 0;
  for (const table of document.querySelectorAll("table.searchable")) {
    const id = `search-${(count += 1)}`;
    const input = make("input", { type: "search", id, autocomplete: "off" });
    const status = make("span", { className: "soft" });
    status.setAttribute("role", "status");
    const rows = new Map([...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]));
    const all = make("button", { type: "button", className: "plain", hidden: rows.size <= FEW }, `Show all ${rows.size} rows`);
    let limit = FEW;
    const update = () => {
      const wanted = input.value.trim().toLowerCase();
      let found = 0;
      for (const row of table.tBodies[0].rows) {
        const fits = rows.get(row).includes(wanted);
        found += fits ? 1 : 0;
        row.hidden = !fits || found > limit;
      }
      status.textContent = wanted ? `${found} of ${rows.size} rows` : "";
      all.hidden = found <= limit;
    };
    input.addEventListener("input", update);
    all.addEventListener("click", () => { limit = Infinity; update(); });
    table.addEventListener("sorted", update);
    addEventListener("beforeprint", () => { limit = Infinity; update(); });
    const label = make("label", { htmlFor: id }, "Search ");
    table.before(make("div", { className: "search" }, label, input, status));
    table.after(all);
    update();
  }

  for (const map of document.querySelectorAll(".map")) {
    const tree = map.querySelector("svg.tree");
    const drawn = [...tree.querySelectorAll("svg")].map((tile) => ({
      tile,
      path: tile.dataset.p,
      title: tile.firstElementChild.textContent,
      text: tile.querySelector("text"),
      size: tile.querySelector(".size"),
      more: tile.dataset.r ? ` +${Number(tile.dataset.r).toLocaleString("en")}` : "",
      box: ["x", "y", "width", "height"].map((name) => parseFloat(tile.getAttribute(name))),
    }));
    const tiles = drawn.filter((item) => item.text);
    const out = make("button", { type: "button", className: "plain", disabled: true }, "Zoom out");
    const where = make("span", { className: "code" }, "/");
    const detail = make("span", { className: "soft small" }, "Arrow keys and Enter, or a click, go into a folder; Escape goes out.");
    detail.setAttribute("role", "status");
    let prefix = "";
    let current = -1;
    const visible = () => tiles.filter((item) => item.path.startsWith(prefix));

    const label = (item, width) => {
      const room = (width * tree.clientWidth) / 100 / 6.8;
      const parts = item.path.replace(/^\/|\/$/g, "").split("/");
      let name = parts.pop();
      while (parts.length && `${parts[parts.length - 1]}/${name}${item.more}`.length <= room) name = `${parts.pop()}/${name}`;
      const most = Math.max(1, Math.min(Math.floor(room), 40) - item.more.length);
      item.text.textContent = (name.length <= most ? name : `${name.slice(0, most - 1)}…`) + item.more || "/";
      item.tile.classList.toggle("tiny", room < 8);
      if (item.size) item.size.style.display = room < 14 ? "none" : "";
    };

    const draw = () => {
      const shown = visible();
      const left = Math.min(...shown.map((item) => item.box[0]));
      const top = Math.min(...shown.map((item) => item.box[1]));
      const width = Math.max(...shown.map((item) => item.box[0] + item.box[2])) - left;
      const height = Math.max(...shown.map((item) => item.box[1] + item.box[3])) - top;
      for (const item of drawn) {
        const inside = item.path.startsWith(prefix);
        item.tile.style.display = inside ? "" : "none";
        if (!inside) continue;
        const [x, y, w, h] = item.box;
        const now = [((x - left) / width) * 100, ((y - top) / height) * 100, (w / width) * 100, (h / height) * 100];
        ["x", "y", "width", "height"].forEach((name, index) => item.tile.setAttribute(name, `${now[index]}%`));
        if (item.text) label(item, now[3] < 4 ? 0 : now[2]);
      }
      out.disabled = prefix === "";
      where.textContent = prefix || "/";
    };
    const mark = (index) => {
      tiles.forEach((item, number) => item.tile.toggleAttribute("data-on", number === index));
      current = index;
      if (index >= 0) detail.textContent = tiles[index].title;
    };
    const enter = (path) => {
      const end = path.indexOf("/", prefix.length + (prefix === "" ? 1 : 0));
      if (end < 0 || end + 1 > path.length) return;
      const deeper = path.slice(0, end + 1);
      if (deeper !== prefix && tiles.filter((item) => item.path.startsWith(deeper)).length > 1) prefix = deeper;
      draw();
    };
    const leave = () => {
      prefix = prefix.slice(0, prefix.lastIndexOf("/", prefix.length - 2) + 1);
      if (prefix === "/") prefix = "";
      draw();
    };
    tiles.forEach((item, index) => {
      item.tile.addEventListener("click", () => { mark(index); enter(item.path); });
      item.tile.addEventListener("pointerenter", () => { detail.textContent = item.title; });
    });
    tree.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) {
        const shown = visible();
        const next = (shown.findIndex((item) => item === tiles[current]) + step + shown.length) % shown.length;
        mark(tiles.indexOf(shown[next]));
      } else if (event.key === "Enter" && current >= 0) enter(tiles[current].path);
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
    });
    out.addEventListener("click", leave);
    tree.setAttribute("tabindex", "0");
    tree.setAttribute("role", "application");
    tree.before(make("div", { className: "mapbar" }, out, where, detail));
    draw();
    tree.closest("details")?.addEventListener("toggle", draw);
  }

  const unfold = (element) => {
    for (let around = element; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
  };
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) unfold(target.querySelector(":scope > details") ?? target);
  };
  addEventListener("hashchange", follow);
  follow();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();

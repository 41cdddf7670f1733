"use strict";
(() => {
  const root = document.documentElement;
  const store = { get() { try { return localStorage.getItem("theme"); } catch { return null; } }, set(v) { try { localStorage.setItem("theme", v); } catch { /* a page from a file may have none */ } } };
  if (store.get()) root.dataset.theme = store.get();
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    store.set(root.dataset.theme);
  });

  // Everything below makes elements and sets their text; nothing that a model wrote is ever read as markup.
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // ---- the multiplication table
  for (const figure of document.querySelectorAll(".heat")) {
    const line = figure.querySelector(".celltext");
    let pinned = null;
    const show = (button) => { line.textContent = button ? button.dataset.text : "\u00a0"; };
    figure.addEventListener("mouseover", (event) => { const b = event.target.closest("button"); if (b) show(b); });
    figure.addEventListener("focusin", (event) => { const b = event.target.closest("button"); if (b) show(b); });
    figure.addEventListener("mouseleave", () => show(pinned));
    figure.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (pinned) pinned.removeAttribute("aria-pressed");
      pinned = pinned === button ? null : button;
      if (pinned) pinned.setAttribute("aria-pressed", "true");
      show(button);
    });
  }

  const holder = document.getElementById("data-json");
  if (!holder || !document.getElementById("list")) return;
  const data = JSON.parse(holder.textContent);
  const rows = data.rows, size = rows.i.length;
  const flipped = new Uint8Array(size);  // 1: right where another condition is wrong; 2: wrong where another is right
  const rowOf = new Map();
  for (let r = 0; r < size; r++) rowOf.set(rows.i[r] * data.labels.length + rows.l[r], r);
  const row = (item, label) => rowOf.get(item * data.labels.length + label);
  for (const [item, base, treat, gained] of data.flips) {
    flipped[row(item, treat)] |= gained ? 1 : 2;
    flipped[row(item, base)] |= gained ? 2 : 1;
  }
  let haystack = null;  // lower-cased once, when somebody first searches
  const search = () => haystack ??= rows.r.map((text, r) => `${data.items[rows.i[r]][2]}\n${text}`.toLowerCase());

  const FACT = /<[A-Z]+(?:_\d+)+>/g;
  const fill = (element, text, query) => {
    const parts = [];
    for (const m of text.matchAll(FACT)) parts.push([m.index, m.index + m[0].length, "span", "fact"]);
    if (query) {
      const low = text.toLowerCase();
      if (low.length === text.length) for (let at = low.indexOf(query); at >= 0; at = low.indexOf(query, at + query.length)) parts.push([at, at + query.length, "mark", ""]);
    }
    parts.sort((a, b) => a[0] - b[0]);
    let at = 0;
    for (const [start, end, tag, name] of parts) {
      if (start < at) continue;
      element.append(text.slice(at, start), make(tag, name, text.slice(start, end)));
      at = end;
    }
    element.append(text.slice(at));
    return element;
  };
  const answer = (r, query) => {
    const label = rows.l[r], box = make("div", `answer ${rows.ok[r] ? "right" : "wrong"}`), who = make("p", "who");
    who.append(make("span", `swatch s${data.colours[label]}`), data.labels[label], make("span", "mark", rows.ok[r] ? "✓ right" : `✗ ${data.kinds[rows.k[r]]}`));
    const figures = [];
    if (rows.n[r] !== null) figures.push(`${rows.n[r]} tokens`);
    if (rows.f[r]) figures.push(`${rows.f[r]} fact token${rows.f[r] > 1 ? "s" : ""}`);
    if (rows.s[r] === 0) figures.push("cut off");
    box.append(who, fill(make("pre"), rows.r[r], query));
    if (figures.length) box.append(make("p", "meta", figures.join(" · ")));
    return box;
  };
  const card = (item, shown, query) => {
    const [task, doc, question, target] = data.items[item], article = make("article", "example");
    article.append(make("p", "meta", `${data.tasks[task]} · question ${doc}`));
    const p = fill(make("p", "question"), question, query);
    p.append(" ", make("span", "target", target));
    const answers = make("div", "answers");
    for (const r of shown) answers.append(answer(r, query));
    article.append(p, answers);
    return article;
  };
  const select = (holder, name, text, options) => {
    const label = make("label", "", text), element = document.createElement("select");
    element.name = name;
    for (const [value, shown] of options) { const option = make("option", "", shown); option.value = value; element.append(option); }
    label.append(element);
    holder.append(label);
    return element;
  };
  const numbered = (names) => names.map((name, index) => [String(index), name]);
  const text = (holder, name) => {
    const label = make("label", "find", "text"), element = document.createElement("input");
    element.type = "search"; element.name = name; element.placeholder = "in question or answer";
    label.append(element);
    holder.append(label);
    return element;
  };

  // ---- the browser of all answers
  const PAGE = 20;
  const filters = document.getElementById("filters");
  const task = select(filters, "task", "task", [["", "all"], ...numbered(data.tasks)]);
  const label = select(filters, "condition", "condition", [["", "all"], ...numbered(data.labels)]);
  const outcome = select(filters, "outcome", "outcome", [["", "all"], ["right", "right"], ["wrong", "wrong"], ["flipped", "flipped"], ["won", "flipped, right"], ["lost", "flipped, wrong"]]);
  const kind = select(filters, "kind", "what went wrong", [["", "anything"], ...numbered(data.kinds).slice(1)]);
  const query = text(filters, "query");
  const list = document.getElementById("list"), count = document.getElementById("count"), pager = document.getElementById("pager");
  let found = [], page = 0;
  const matches = () => {
    const wanted = query.value.trim().toLowerCase(), hay = wanted ? search() : null, result = [];
    const t = task.value === "" ? -1 : +task.value, l = label.value === "" ? -1 : +label.value, k = kind.value === "" ? -1 : +kind.value, o = outcome.value;
    for (let r = 0; r < size; r++) {
      if (l >= 0 && rows.l[r] !== l) continue;
      if (t >= 0 && data.items[rows.i[r]][0] !== t) continue;
      if (k >= 0 && rows.k[r] !== k) continue;
      if (o === "right" ? !rows.ok[r] : o === "wrong" ? rows.ok[r] : o === "flipped" ? !flipped[r] : o === "won" ? !(flipped[r] & 1) : o === "lost" ? !(flipped[r] & 2) : false) continue;
      if (hay && !hay[r].includes(wanted)) continue;
      result.push(r);
    }
    return result;
  };
  const draw = () => {
    const wanted = query.value.trim().toLowerCase(), from = page * PAGE;
    list.replaceChildren(...found.slice(from, from + PAGE).map((r) => card(rows.i[r], [r], wanted)));
    count.textContent = `${found.length.toLocaleString("en")} of ${size.toLocaleString("en")} answers`;
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const back = make("button", "", "← earlier"), on = make("button", "", "later →");
    back.type = on.type = "button"; back.disabled = page === 0; on.disabled = page >= pages - 1;
    back.addEventListener("click", () => turn(-1)); on.addEventListener("click", () => turn(1));
    pager.replaceChildren(back, make("span", "", `page ${page + 1} of ${pages.toLocaleString("en")}`), on);
  };
  const turn = (by) => { page += by; draw(); document.getElementById("browser").scrollIntoView(); };
  const update = () => { found = matches(); page = 0; draw(); };
  let waiting = 0;
  filters.addEventListener("input", (event) => { clearTimeout(waiting); waiting = setTimeout(update, event.target === query ? 120 : 0); });
  update();

  // ---- the flip table
  const flipList = document.getElementById("fliplist");
  if (!flipList) return;
  const flipFilters = document.getElementById("flipfilters");
  const pairNames = [...new Set(data.flips.map(([, a, b]) => `${a} ${b}`))];
  const pair = select(flipFilters, "flippair", "pair", pairNames.map((p) => { const [a, b] = p.split(" "); return [p, `${data.labels[b]} against ${data.labels[a]}`]; }));
  const flipTask = select(flipFilters, "fliptask", "task", [["", "all"], ...numbered(data.tasks)]);
  const direction = select(flipFilters, "flipdirection", "direction", [["", "gained and lost"], ["1", "gained"], ["0", "lost"]]);
  const flipKind = select(flipFilters, "flipkind", "what went wrong", [["", "anything"], ...numbered(data.kinds).slice(1)]);
  let shownFlips = 8;
  const drawFlips = () => {
    const hits = data.flips.filter(([item, a, b, gained, k]) => `${a} ${b}` === pair.value && (flipTask.value === "" || data.items[item][0] === +flipTask.value) && (direction.value === "" || gained === +direction.value) && (flipKind.value === "" || k === +flipKind.value));
    document.getElementById("flipcount").textContent = `${hits.length.toLocaleString("en")} questions`;
    const nodes = hits.slice(0, shownFlips).map(([item, a, b]) => card(item, [row(item, a), row(item, b)], ""));
    if (hits.length > shownFlips) {
      const more = make("button", "more", `show ${Math.min(20, hits.length - shownFlips)} more`), holder = make("div", "pager");
      more.type = "button";
      more.addEventListener("click", () => { shownFlips += 20; drawFlips(); });
      holder.append(more);
      nodes.push(holder);
    }
    flipList.replaceChildren(...nodes);
  };
  flipFilters.addEventListener("input", () => { shownFlips = 8; drawFlips(); });
  drawFlips();
})();

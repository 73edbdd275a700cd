"use strict";
// Tables are sorted by their headings; a table of class browser is searched, filtered and extended.
// Without this script, the page shows everything in its original order.
const FIRST = 30; // rows shown until more are asked for

const valueOf = (cell) => {
  const text = cell.textContent.trim();
  const number = text.replace(/[,%\u2009\u00a0 ]/g, "");
  return text === "–" || text === "" ? null : Number.isFinite(Number(number)) ? Number(number) : text;
};

const compare = (left, right) => {
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1; // missing ones last
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right));
};

const sort = (table, column, direction) => {
  const body = table.tBodies[0];
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
  keyed.sort(([left], [right]) => (left === null || right === null ? 1 : sign) * compare(left, right));
  body.append(...keyed.map(([, row]) => row));
  table.querySelectorAll("thead th").forEach((head, at) => {
    if (at === column) head.setAttribute("aria-sort", direction);
    else head.removeAttribute("aria-sort");
  });
};

const updates = new Map();

document.querySelectorAll("div.search").forEach((box) => {
  const [table, form, more] = ["table.browser", "form.choice", "button.more"].map((name) => box.querySelector(name));
  const [search, output] = ["input", "output"].map((name) => form.querySelector(name));
  const selects = [...form.querySelectorAll("select")];
  let all = false;

  const fits = (row, wanted) => {
    const first = row.cells[0].textContent.trim().toLowerCase();
    if (wanted.length > 1 && wanted.startsWith("-")) return first.endsWith(wanted.slice(1));
    if (wanted.length > 1 && wanted.endsWith("-")) return first.startsWith(wanted.slice(0, -1));
    return row.textContent.toLowerCase().includes(wanted);
  };

  const update = () => {
    const wanted = search.value.trim().toLowerCase().normalize("NFC");
    const rows = [...table.tBodies[0].rows];
    let matches = 0;
    for (const row of rows) {
      const chosen = selects.every((select) => !select.value || row.cells[select.dataset.column].textContent === select.value);
      row.hidden = !chosen || (wanted !== "" && !fits(row, wanted));
      if (!row.hidden) matches += 1;
      row.classList.toggle("later", !all && matches > FIRST); // hidden on the screen, not in print
    }
    const visible = all ? matches : Math.min(matches, FIRST);
    output.textContent = `${matches.toLocaleString("en")} of ${rows.length.toLocaleString("en")} forms` +
      (visible < matches ? `; the first ${visible} are shown` : "");
    more.hidden = visible === matches;
    more.textContent = `Show all ${matches.toLocaleString("en")}`;
  };

  more.addEventListener("click", () => { all = true; update(); });
  form.addEventListener("input", () => { all = false; update(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { all = false; update(); }));
  updates.set(table, update);
  update();
});

document.querySelectorAll("table").forEach((table) => {
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      sort(table, column, before === first ? other : first);
      updates.get(table)?.();
    });
  });
});

// Print shows what is folded.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details:not([open])").forEach((details) => { details.open = true; details.dataset.print = ""; });
});
addEventListener("afterprint", () => {
  document.querySelectorAll("details[data-print]").forEach((details) => { details.open = false; delete details.dataset.print; });
});

// A table that a cell has shown: application/vnd.gradbook.table.v1+json, of columns, the
// first rows, and how many rows there are. It is sorted, searched and turned by the kernel
// that has it; without that, the first rows are all there is.
window.gradbookTable = function (node, ask) {
  "use strict";

  const PAGE = 20;
  const STYLE = `
.gradbook-table { max-width: 100%; overflow-x: auto; }
.gradbook-table table { border-collapse: collapse; font-size: var(--jp-ui-font-size1, 13px); font-variant-numeric: tabular-nums; }
.gradbook-table th { text-align: left; vertical-align: bottom; padding: 0; border-bottom: 1px solid var(--jp-border-color1, #bdbdbd); }
.gradbook-table th button { all: unset; cursor: pointer; padding: 4px 8px; box-sizing: border-box; width: 100%; font-weight: 600; color: var(--jp-content-font-color1, #000); }
.gradbook-table th button:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: -2px; }
.gradbook-table th small { display: block; font-weight: 400; color: var(--jp-content-font-color1, #444); opacity: 0.75; }
.gradbook-table td { padding: 3px 8px; max-width: 30em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--jp-content-font-color1, #000); }
.gradbook-table td.gradbook-number, .gradbook-table th.gradbook-number { text-align: right; }
.gradbook-table tbody tr:nth-child(even) { background: var(--jp-rendermime-table-row-background, #f5f5f5); }
.gradbook-table-bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 4px 0; color: var(--jp-content-font-color1, #000); font-size: var(--jp-ui-font-size1, 13px); }
.gradbook-table-bar[hidden] { display: none; }
.gradbook-table-bar input { width: 14em; max-width: 100%; }`;

  if (!document.getElementById("gradbook-table-style")) {
    const style = document.createElement("style");
    style.id = "gradbook-table-style";
    style.textContent = STYLE;
    document.head.append(style);
  }

  function make(name, properties, ...children) {
    const e = Object.assign(document.createElement(name), properties);
    e.append(...children);
    return e;
  }

  let data = null, asked = 0;
  const view = { start: 0, sort: -1, descending: false, search: "" };

  const body = make("tbody"), head = make("tr"), words = make("span", { role: "status" });
  const search = make("input", { type: "search", placeholder: "Search", ariaLabel: "Search the table" });
  const before = make("button", { textContent: "‹ Back" }), next = make("button", { textContent: "Next ›" });
  const bar = make("div", { className: "gradbook-table-bar" }, search, before, next, words);
  const box = make("div", { className: "gradbook-table" }, make("table", {}, make("thead", {}, head), body));
  node.replaceChildren(box, bar);

  function rows(list, start, total) {
    body.replaceChildren(...list.map(row => make("tr", {}, ...row.map((text, i) =>
      make("td", { textContent: text, title: text.length > 40 ? text : "", className: data.columns[i].number ? "gradbook-number" : "" })))));
    const end = start + list.length, of = total.toLocaleString("en");
    words.textContent = total === 0 ? "no rows" : `${(start + 1).toLocaleString("en")} to ${end.toLocaleString("en")} of ${of} rows`;
    before.disabled = start === 0;
    next.disabled = end >= total;
    bar.hidden = total <= PAGE && view.search === "";
    head.querySelectorAll("th").forEach((th, i) => {
      const sorted = i === view.sort;
      th.ariaSort = sorted ? (view.descending ? "descending" : "ascending") : "none";
      th.querySelector("span").textContent = sorted ? (view.descending ? " ▼" : " ▲") : "";
    });
  }

  async function turn() {
    const mine = ++asked;
    const answer = await ask({ id: data.id, count: PAGE, ...view });
    if (mine !== asked) return; // a later question's answer is awaited
    if (answer?.rows) rows(answer.rows, answer.start, answer.total);
    else words.textContent = answer?.error || "The kernel that has the rows is gone; run the cell again to sort and search them.";
  }

  before.onclick = () => { view.start = Math.max(0, view.start - PAGE); turn(); };
  next.onclick = () => { view.start += PAGE; turn(); };
  let soon = null;
  search.oninput = () => {
    clearTimeout(soon);
    soon = setTimeout(() => { view.search = search.value; view.start = 0; turn(); }, 250);
  };

  return {
    set(table) {
      data = table;
      Object.assign(view, { start: 0, sort: -1, descending: false, search: "" });
      head.replaceChildren(...table.columns.map((c, i) => {
        const button = make("button", { title: "Sort by " + c.name }, c.name, make("span"), make("small", { textContent: c.type }));
        button.onclick = () => {
          if (view.sort === i && view.descending) view.sort = -1; // as they are
          else if (view.sort === i) view.descending = true;
          else { view.sort = i; view.descending = false; }
          if (view.sort === -1) view.descending = false;
          view.start = 0;
          turn();
        };
        return make("th", { scope: "col", className: c.number ? "gradbook-number" : "" }, button);
      }));
      rows(table.rows.slice(0, PAGE), 0, table.total);
    },
  };
};

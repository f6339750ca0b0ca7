// Cells of Go while they are written: tabs, gofmt, and the places of errors.
window.gradbookEditing = function (notebook, settings, view, state, kernelIsOurs, ask) {
  "use strict";

  const PLUGIN = "@gradbook/viz:editing";
  const isOurs = panel => kernelIsOurs(panel?.sessionContext.session?.kernel);

  const PLACE = /cell\[(\d+)\]:(\d+)(?::(\d+))?/;

  // The mark of an error is there until the cell is changed or runs again.
  const setMark = state.StateEffect.define();
  const marks = state.StateField.define({
    create: () => view.Decoration.none,
    update(now, change) {
      if (change.docChanged) now = view.Decoration.none;
      for (const e of change.effects) if (e.is(setMark)) now = e.value;
      return now;
    },
    provide: field => view.EditorView.decorations.from(field),
  });

  function mark(cell, line, column, words) {
    const editor = cell.editor?.editor;
    if (!editor) return;
    const effects = [];
    if (!editor.state.field(marks, false)) effects.push(state.StateEffect.appendConfig.of(marks));
    let value = view.Decoration.none;
    if (line >= 1 && line <= editor.state.doc.lines) {
      const at = editor.state.doc.line(line);
      const indented = at.text.length - at.text.trimStart().length;
      // A column is that of the mistake: its word is marked. Without one, the line is.
      const from = at.from + (column ? Math.min(new TextEncoder().encode(at.text).length, column - 1) : indented);
      const word = column ? /^(?:[\p{L}\p{N}_.]+|.)/u.exec(at.text.slice(column - 1)) : null;
      const to = word ? from + word[0].length : at.to;
      if (from < to && to <= at.to) {
        value = view.Decoration.set([
          view.Decoration.mark({ class: "gradbook-mistake", attributes: { title: words } }).range(from, to),
        ]);
      }
    }
    effects.push(setMark.of(value));
    editor.dispatch({ effects });
  }

  function numbered(panel, n) {
    return panel.content.widgets.find(w => w.model.type === "code" && w.model.executionCount === n);
  }

  // jump shows a place that a text names.
  function jump(panel, place) {
    const cell = numbered(panel, Number(place[1]));
    if (!cell) return;
    panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
    panel.content.mode = "edit";
    panel.content.scrollToCell?.(cell);
    cell.editor?.setCursorPosition({ line: Number(place[2]) - 1, column: Math.max(0, Number(place[3] || 1) - 1) });
    cell.editor?.focus();
  }

  // linked makes links of the places in an error's text, and folds it if it is long.
  function linked(panel, pre) {
    if (pre.dataset.gradbook) return;
    pre.dataset.gradbook = "linked";
    const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) if (PLACE.test(walker.currentNode.data)) texts.push(walker.currentNode);
    for (let text of texts) {
      for (let place; text && (place = PLACE.exec(text.data));) {
        const found = text.splitText(place.index);
        const rest = found.data.length > place[0].length ? found.splitText(place[0].length) : null;
        const link = document.createElement("a");
        link.href = "#";
        link.className = "gradbook-place";
        link.title = "Show this line";
        link.addEventListener("click", e => { e.preventDefault(); e.stopPropagation(); jump(panel, place); });
        found.replaceWith(link);
        link.append(found);
        text = rest;
      }
    }
    const lines = pre.textContent.split("\n").length;
    if (lines <= 30) return;
    pre.classList.add("gradbook-folded");
    const all = document.createElement("button");
    all.className = "gradbook-unfold";
    all.textContent = `Show all ${lines} lines`;
    all.addEventListener("click", () => { pre.classList.remove("gradbook-folded"); all.remove(); });
    pre.after(all);
  }

  const ERRORS = '[data-mime-type="application/vnd.jupyter.error"] pre, [data-mime-type="application/vnd.jupyter.stderr"] pre';

  function watch(panel) {
    const seen = new MutationObserver(changes => {
      if (!isOurs(panel)) return;
      for (const c of changes) {
        for (const node of c.addedNodes) {
          if (node.nodeType !== 1) continue;
          const owner = node.closest?.(".jp-OutputArea-output");
          for (const pre of (owner || node).querySelectorAll(owner ? "pre" : ERRORS)) {
            if (pre.closest(ERRORS.replaceAll(" pre", ""))) linked(panel, pre);
          }
        }
      }
    });
    seen.observe(panel.content.node, { childList: true, subtree: true });
    panel.disposed.connect(() => seen.disconnect());
  }

  async function format(panel, cell) {
    const code = cell.model.sharedModel.getSource();
    const { code: better, error } = await ask(panel.sessionContext.session.kernel, "gradbook.format", { code });
    if (better !== undefined && better !== code && cell.model.sharedModel.getSource() === code) cell.model.sharedModel.setSource(better);
    return error;
  }

  // prepare has Enter indent with tabs and close brackets, in cells of Go.
  function prepare(panel) {
    if (!isOurs(panel)) return;
    const config = panel.content.editorConfig;
    panel.content.editorConfig = { ...config, code: { ...config.code, indentUnit: "Tab", autoClosingBrackets: true } };
  }

  const STYLE = `
.gradbook-mistake { text-decoration: underline wavy var(--jp-error-color1, #d32f2f); text-underline-offset: 3px; text-decoration-skip-ink: none; }
.gradbook-place { color: inherit !important; text-decoration: underline dotted !important; text-underline-offset: 2px; cursor: pointer; }
.gradbook-folded { max-height: 24em; overflow: hidden !important; mask-image: linear-gradient(#000 80%, transparent); }
.gradbook-unfold { margin: 4px 0; cursor: pointer; }`;

  return {
    id: PLUGIN,
    description: "Tabs, gofmt and the places of errors in cells of Go.",
    autoStart: true,
    requires: [notebook.INotebookTracker],
    optional: settings ? [settings.ISettingRegistry] : [],
    activate(app, tracker, registry) {
      const style = document.createElement("style");
      style.textContent = STYLE;
      document.head.append(style);
      let formatOnRun = false;
      registry?.load(PLUGIN).then(s => {
        const read = () => { formatOnRun = s.get("formatOnRun").composite === true; };
        read();
        s.changed.connect(read);
      }, () => {}); // without its schema, there is no setting
      const current = () => (isOurs(tracker.currentWidget) ? tracker.currentWidget : null);
      app.commands.addCommand("gradbook:format", {
        label: "Format Cell with gofmt",
        isEnabled: () => current()?.content.activeCell?.model.type === "code",
        isVisible: () => current() !== null,
        execute: () => format(current(), current().content.activeCell),
      });
      tracker.widgetAdded.connect((_, panel) => {
        watch(panel);
        panel.sessionContext.ready.then(() => prepare(panel));
        panel.sessionContext.kernelChanged.connect(() => prepare(panel));
      });
      notebook.NotebookActions.executionScheduled.connect((_, { notebook: content, cell }) => {
        const panel = tracker.find(p => p.content === content);
        if (!isOurs(panel) || cell.model.type !== "code") return;
        mark(cell, 0);
        if (formatOnRun) format(panel, cell);
      });
      notebook.NotebookActions.executed.connect((_, { notebook: content, cell, success }) => {
        const panel = tracker.find(p => p.content === content);
        if (success || !isOurs(panel) || cell.model.type !== "code") return;
        const failed = cell.model.sharedModel.getOutputs().find(o => o.output_type === "error");
        if (!failed) return;
        const text = failed.traceback.join("\n").replace(/\x1b\[[0-9;]*m/g, "");
        const exact = new RegExp(`cell\\[${cell.model.executionCount}\\]:(\\d+)(?::(\\d+))?`);
        const place = exact.exec(failed.evalue) || exact.exec(text);
        if (place) mark(cell, Number(place[1]), Number(place[2] || 0), failed.evalue);
      });
    },
  };
};

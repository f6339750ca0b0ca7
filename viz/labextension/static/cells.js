// What a cell has shown while no page listened, and what it shows from now on.
//
// The kernel keeps what its cells show until a page has saved it. A page that opens a
// notebook asks for that by a comm, and executes each such cell "again" with the id of the
// request that runs: that runs nothing, but is answered with all that the cell has shown
// and will show. So prompts, outputs, widgets and questions are JupyterLab's own.
window.gradbookCells = function (notebook, cells, isOurs, ask) {
  "use strict";

  const TARGET = "gradbook.cells";

  function follow(panel, cell, id) {
    return cells.CodeCell.execute(cell, panel.sessionContext, { gradbook_resume: id }).then(reply => {
      for (const p of reply?.content?.payload || []) {
        if (p.source !== "set_next_input") continue;
        const at = panel.content.widgets.indexOf(cell);
        if (p.replace) cell.model.sharedModel.setSource(p.text);
        else panel.content.model.sharedModel.insertCell(at + 1, { cell_type: "code", source: p.text });
      }
      if (reply?.content?.status === "aborted") cell.model.executionState = "idle";
    }, () => {});
  }

  async function resume(panel) {
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session?.kernel;
    if (!isOurs(kernel)) return;
    for (const one of (await ask(kernel, TARGET, {})).cells || []) {
      const cell = panel.content.widgets.find(w => w.model.type === "code" && w.model.id === one.cell);
      if (cell && cell.model.executionState !== "running") follow(panel, cell, one.id);
    }
  }

  // unchanged says that a notebook is as it is on disk, when all that has changed is what
  // JupyterLab notes of the kernel in it.
  async function unchanged(panel) {
    await panel.context.ready;
    const model = panel.context.model, cells = () => JSON.stringify(model.toJSON().cells);
    const before = cells();
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session?.kernel;
    if (!isOurs(kernel)) return;
    await kernel.info;
    await new Promise(resolve => setTimeout(resolve, 100)); // in which JupyterLab writes it down
    if (!panel.isDisposed && model.dirty && cells() === before) model.dirty = false;
  }

  // saved tells the kernel which cells are on disk as they are.
  function saved(panel) {
    const kernel = panel.sessionContext.session?.kernel;
    if (!isOurs(kernel)) return;
    const ids = panel.content.widgets
      .filter(w => w.model.type === "code" && w.model.executionState !== "running")
      .map(w => w.model.id);
    if (!ids.length) return;
    const comm = kernel.createComm(TARGET);
    comm.open({ saved: ids });
    comm.close();
  }

  return {
    id: "@gradbook/viz:cells",
    description: "Shows what cells have shown while no page listened.",
    autoStart: true,
    requires: [notebook.INotebookTracker],
    activate(app, tracker) {
      window.gradbookKernelOf = node => {
        const kernel = tracker.find(panel => panel.node.contains(node))?.sessionContext.session?.kernel;
        return isOurs(kernel) ? kernel : null;
      };
      tracker.widgetAdded.connect((_, panel) => {
        unchanged(panel).then(() => resume(panel)).catch(e => console.error("gradbook", e));
        panel.context.saveState.connect((_, state) => { if (state === "completed") saved(panel); });
      });
    },
  };
};

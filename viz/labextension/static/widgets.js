// The widgets that Jupyter does not have: a canvas to draw on, a chart that its
// program replaces, and a label whose text is nothing but text. Their state is the
// kernel's, so they are there again when the page is loaded anew.
(function () {
  "use strict";

  // base is the module @jupyter-widgets/base, mount what draws a chart in a node.
  window.gradbookWidgets = function (base, mount) {
    const { DOMWidgetModel, DOMWidgetView } = base;
    const MODULE = "@gradbook/viz", VERSION = "0.1.0";

    function model(kind, defaults) {
      const Model = class extends DOMWidgetModel {
        defaults() {
          return {
            ...super.defaults(), ...defaults,
            _model_name: kind + "Model", _model_module: MODULE, _model_module_version: VERSION,
            _view_name: kind + "View", _view_module: MODULE, _view_module_version: VERSION,
          };
        }
      };
      return Model;
    }

    class LabelView extends DOMWidgetView {
      render() {
        super.render();
        this.el.classList.add("gradbook-label");
        this.el.style.cssText += "white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 4px;line-height:1.6";
        this.el.setAttribute("role", "status");
        const show = () => { this.el.textContent = this.model.get("value"); };
        this.listenTo(this.model, "change:value", show);
        show();
      }
    }

    class ChartView extends DOMWidgetView {
      render() {
        super.render();
        this.el.style.width = "100%";
        this.mounted = mount(this.el);
        const show = async () => {
          const data = this.model.get("chart"), chart = await this.mounted;
          if (data) await chart.set(data, this.model.get("words"));
        };
        this.listenTo(this.model, "change:chart", show);
        show();
      }

      remove() {
        this.mounted?.then(chart => chart.dispose());
        return super.remove();
      }
    }

    class CanvasView extends DOMWidgetView {
      render() {
        super.render();
        const size = this.model.get("size");
        this.el.style.cssText += "display:inline-flex;flex-direction:column;gap:4px;align-items:flex-start;width:auto;overflow:visible";
        this.canvas = document.createElement("canvas");
        this.canvas.width = this.canvas.height = size * 2;
        this.canvas.style.cssText = `width:${size}px;height:${size}px;touch-action:none;cursor:crosshair;border:1px solid var(--jp-border-color1,#94a3b8);border-radius:4px;background:#000`;
        this.canvas.setAttribute("role", "application");
        this.canvas.setAttribute("aria-label", "A canvas: draw with the pointer, or move the pen with the arrows and lower or lift it with the space bar");
        this.canvas.setAttribute("data-lm-suppress-shortcuts", "true"); // arrows are the pen's
        this.canvas.tabIndex = 0;
        this.canvas.addEventListener("keydown", e => this.key(e));
        this.canvas.addEventListener("blur", () => this.lift());
        const clear = document.createElement("button");
        clear.type = "button";
        clear.textContent = "Clear";
        clear.className = "jupyter-button";
        clear.style.width = "auto";
        clear.onclick = () => this.send([]);
        this.el.append(this.canvas, clear);
        this.canvas.addEventListener("pointerdown", e => {
          this.stroke = this.at(e);
          this.canvas.setPointerCapture(e.pointerId);
          this.paint();
        });
        this.canvas.addEventListener("pointermove", e => {
          if (!this.stroke) return;
          for (const part of e.getCoalescedEvents?.() || [e]) this.stroke.push(...this.at(part));
          this.paint();
          this.soon();
        });
        for (const end of ["pointerup", "pointercancel"]) {
          this.canvas.addEventListener(end, () => this.lift());
        }
        this.listenTo(this.model, "change:strokes", () => this.paint());
        this.paint();
      }

      // key moves the pen, which the space bar lowers and lifts.
      key(e) {
        const step = e.shiftKey ? 0.01 : 0.04;
        const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key];
        if (!move && e.key !== " " && e.key !== "Escape") return;
        e.preventDefault();
        e.stopPropagation();
        this.pen ??= [0.5, 0.5];
        if (move) {
          this.pen = this.pen.map((v, i) => Math.round(1000 * Math.max(0, Math.min(1, v + move[i]))) / 1000);
          if (this.stroke) { this.stroke.push(...this.pen); this.soon(); }
        } else if (e.key === " " && !this.stroke) {
          this.stroke = [...this.pen];
        } else {
          this.lift();
        }
        this.paint();
      }

      lift() {
        if (!this.stroke) return;
        const strokes = [...this.model.get("strokes"), this.stroke];
        this.stroke = null;
        this.send(strokes);
      }

      at(e) {
        const box = this.canvas.getBoundingClientRect();
        const share = (v, of) => Math.round(1000 * Math.max(0, Math.min(1, v / of))) / 1000;
        return [share(e.clientX - box.left, box.width), share(e.clientY - box.top, box.height)];
      }

      // soon tells the program of the stroke under way, at most ten times a second.
      soon() {
        this.waiting ??= setTimeout(() => {
          this.waiting = null;
          if (this.stroke) this.model.send({ event: "drawing", strokes: [...this.model.get("strokes"), this.stroke] }, {});
        }, 100);
      }

      send(strokes) {
        this.model.set("strokes", strokes);
        this.touch();
        this.paint();
      }

      paint() {
        const g = this.canvas.getContext("2d"), side = this.canvas.width;
        g.fillStyle = "#000";
        g.fillRect(0, 0, side, side);
        g.strokeStyle = "#fff";
        g.lineWidth = this.model.get("pen") / 28 * side;
        g.lineCap = g.lineJoin = "round";
        for (const s of [...this.model.get("strokes"), ...(this.stroke ? [this.stroke] : [])]) {
          g.beginPath();
          g.moveTo(s[0] * side, s[1] * side);
          g.lineTo(s[0] * side + 0.01, s[1] * side);
          for (let i = 2; i + 1 < s.length; i += 2) g.lineTo(s[i] * side, s[i + 1] * side);
          g.stroke();
        }
        if (this.pen && document.activeElement === this.canvas) { // where the keys would draw
          g.fillStyle = this.stroke ? "#f06a02" : "#3d95fa";
          g.fillRect(this.pen[0] * side - 5, this.pen[1] * side - 5, 10, 10);
        }
      }
    }

    return {
      LabelModel: model("Label", { value: "" }), LabelView,
      ChartModel: model("Chart", { chart: null, words: "" }), ChartView,
      CanvasModel: model("Canvas", { size: 224, pen: 2.2, strokes: [] }), CanvasView,
    };
  };
})();

"use strict";
// tryModel shows a model's inputs and what predict makes of them.
globalThis.tryModel = (model, predict, where = "here") => {
  const say = document.getElementById("say");
  const inputs = document.getElementById("inputs");
  const outputs = document.getElementById("outputs");
  const element = (name, attributes = {}, ...children) => {
    const e = Object.assign(document.createElement(name), attributes);
    e.append(...children);
    return e;
  };
  const size = shape => shape.reduce((a, b) => a * b, 1);
  const tell = (text, error = false) => {
    say.textContent = text;
    say.className = error ? "error" : "";
  };

  // An image has two axes, or a third one of 1 or 3 channels.
  const image = shape =>
    (shape.length === 2 || (shape.length === 3 && [1, 3].includes(shape[2]))) && shape[0] >= 8 && shape[1] >= 8;

  // drawn makes of what was drawn what MNIST has: the strokes fit a square of 20 of 28 pixels,
  // and their centre of mass is in the middle.
  function drawn(canvas, [height, width]) {
    const from = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
    let left = from.width, right = -1, top = from.height, bottom = -1;
    for (let y = 0; y < from.height; y++)
      for (let x = 0; x < from.width; x++)
        if (from.data[4 * (y * from.width + x)] > 32) {
          left = Math.min(left, x); right = Math.max(right, x);
          top = Math.min(top, y); bottom = Math.max(bottom, y);
        }
    const out = new Float32Array(height * width);
    if (right < 0) return out;
    const w = right - left + 1, h = bottom - top + 1;
    const scale = (Math.min(height, width) * 20) / 28 / Math.max(w, h);
    const small = element("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
    const place = (dx, dy) => {
      small.fillStyle = "#000";
      small.fillRect(0, 0, width, height);
      small.imageSmoothingQuality = "high";
      small.drawImage(canvas, left, top, w, h, dx, dy, w * scale, h * scale);
      return small.getImageData(0, 0, width, height).data;
    };
    const x0 = (width - w * scale) / 2, y0 = (height - h * scale) / 2;
    let data = place(x0, y0), mass = 0, mx = 0, my = 0;
    for (let i = 0; i < out.length; i++) {
      mass += data[4 * i];
      mx += data[4 * i] * (i % width);
      my += data[4 * i] * Math.floor(i / width);
    }
    data = place(x0 + Math.round((width - 1) / 2 - mx / mass), y0 + Math.round((height - 1) / 2 - my / mass));
    for (let i = 0; i < out.length; i++) out[i] = (data[4 * i] / 255) * model.white;
    return out;
  }

  function drawing(port, changed) {
    const canvas = element("canvas", { width: 280, height: 280, tabIndex: 0 });
    canvas.setAttribute("aria-label", "Draw " + port.name + " here");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const clear = () => {
      pen.fillStyle = "#000";
      pen.fillRect(0, 0, canvas.width, canvas.height);
    };
    clear();
    Object.assign(pen, { lineWidth: 22, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
    let last = null;
    const at = e => {
      const r = canvas.getBoundingClientRect();
      return [((e.clientX - r.left) * canvas.width) / r.width, ((e.clientY - r.top) * canvas.height) / r.height];
    };
    canvas.addEventListener("pointerdown", e => {
      canvas.setPointerCapture(e.pointerId);
      last = at(e);
      e.preventDefault();
    });
    canvas.addEventListener("pointermove", e => {
      if (!last) return;
      const next = at(e);
      pen.beginPath();
      pen.moveTo(...last);
      pen.lineTo(...next);
      pen.stroke();
      last = next;
      changed();
    });
    const up = () => { last = null; };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    const button = element("button", { type: "button", textContent: "Clear" });
    button.addEventListener("click", () => {
      clear();
      changed();
    });
    inputs.append(canvas, button);
    return () => drawn(canvas, port.shape);
  }

  function picture(port, changed) {
    const [height, width, channels = 1] = port.shape;
    const canvas = element("canvas", { width, height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const file = element("input", { type: "file", accept: "image/*" });
    file.addEventListener("change", async () => {
      try {
        const bitmap = await createImageBitmap(file.files[0]);
        const side = Math.min(bitmap.width / width, bitmap.height / height);
        pen.imageSmoothingQuality = "high";
        pen.drawImage(bitmap, (bitmap.width - width * side) / 2, (bitmap.height - height * side) / 2, width * side, height * side, 0, 0, width, height);
        changed();
      } catch (e) {
        tell(file.files[0].name + " is no image that this browser shows.", true);
      }
    });
    inputs.append(canvas, element("label", { className: "file" }, "Choose an image", file));
    return () => {
      const data = pen.getImageData(0, 0, width, height).data;
      const out = new Float32Array(height * width * channels);
      for (let i = 0; i < height * width; i++)
        for (let c = 0; c < channels; c++) out[i * channels + c] = (data[4 * i + c] / 255) * model.white;
      return out;
    };
  }

  function typed(port, changed) {
    const n = size(port.shape);
    const area = element("textarea", { spellcheck: false, value: Array(Math.min(n, 1000)).fill(0).join(", ") });
    inputs.append(element("label", {}, element("h2", { textContent: `${port.name}: ${n} numbers of shape [${port.shape}]` }), area));
    area.addEventListener("input", changed);
    return () => {
      const numbers = area.value.split(/[\s,;]+/).filter(t => t !== "").map(Number);
      if (numbers.length !== n || numbers.some(Number.isNaN))
        throw new Error(`${port.name}: expected ${n} numbers, got ${numbers.filter(v => !Number.isNaN(v)).length}`);
      return port.whole ? Int32Array.from(numbers) : Float32Array.from(numbers);
    };
  }

  // shown shows an output: bars, if it is not long.
  function shown(port, numbers) {
    const title = element("h2", { textContent: port.name });
    if (numbers.length > 200) return [title, element("pre", { textContent: numbers.slice(0, 200).map(v => v.toPrecision(4)).join(" ") + " …" })];
    const best = numbers.indexOf(Math.max(...numbers)), top = Math.max(...numbers.map(Math.abs)) || 1;
    const table = element("table");
    numbers.forEach((v, i) => {
      const bar = element("div", { className: "bar" });
      bar.style.width = (100 * Math.abs(v)) / Math.max(top, 1e-9) + "%";
      const label = (numbers.length === (model.labels || []).length && model.labels[i]) || String(i);
      table.append(element("tr", { className: i === best && numbers.length > 1 ? "best" : "" },
        element("th", { scope: "row", textContent: label }), element("td", {}, bar), element("td", { textContent: v.toFixed(4) })));
    });
    return [title, table];
  }

  const readers = [];
  let waiting = false, again = false;
  function changed() {
    again = true;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(async () => {
      again = false;
      try {
        const start = performance.now();
        const result = await predict(readers.map(read => read()));
        outputs.replaceChildren(...model.outputs.flatMap((port, i) => shown(port, result[i])));
        tell(`Computed ${where}, in ${(performance.now() - start).toFixed(1)} ms.`);
      } catch (e) {
        tell(e.message, true);
      }
      waiting = false;
      if (again) changed();
    });
  }
  for (const port of model.inputs) {
    const way = !image(port.shape) ? typed : port.shape[2] === 3 || port.shape[0] > 64 ? picture : drawing;
    readers.push(way(port, changed));
  }

  tell(image(model.inputs[0].shape) ? "The model is ready: draw." : "The model is ready.");
  changed();
};

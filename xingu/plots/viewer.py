"""CSS and JavaScript of pages with plots.

A plot is drawn when it is scrolled into view, so that a page with many plots opens fast. All names
begin with ``xingu``, because the notebook in the Dagster UI is part of a larger page.
"""

from xingu.plots.theme import BLUE, GRID, INK, PALE_INK

STYLE = f"""
.xingu-page{{color:{INK};background:#fff;
 font:14px/1.45 Inter,system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}}
.xingu-page figure{{margin:0;position:relative;box-sizing:border-box}}
.xingu-plot>div{{width:100%;height:100%}}
.xingu-picture img{{max-width:100%;max-height:calc(100% - 40px);display:block;margin:auto}}
.xingu-picture figcaption{{padding:8px;font-size:15px;text-align:left;overflow:hidden;
 white-space:nowrap;text-overflow:ellipsis}}
.xingu-one figure{{height:100vh;min-height:360px}}
.xingu-note{{margin:24px;padding:12px 16px;border:1px solid {GRID};border-radius:6px}}
.xingu-note[hidden]{{display:none}}
"""

GALLERY_STYLE = f"""
.xingu-gallery{{background:#F7F8FA;min-height:100vh}}
.xingu-gallery header{{position:sticky;top:0;z-index:9;background:#fff;padding:12px 24px;
 border-bottom:1px solid {GRID};display:flex;flex-wrap:wrap;gap:4px 24px;align-items:baseline}}
.xingu-gallery h1{{font-size:20px;line-height:1.3;margin:0}}
.xingu-gallery h2{{font-size:17px;line-height:1.3;margin:0 0 8px}}
.xingu-gallery header p{{margin:0;color:{PALE_INK}}}
.xingu-gallery nav{{margin-left:auto;display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline}}
.xingu-gallery nav a{{color:{BLUE};text-decoration:none}}
.xingu-gallery nav a:hover{{text-decoration:underline}}
.xingu-gallery button{{font:inherit;color:{PALE_INK};background:#fff;border:1px solid {GRID};
 border-radius:6px;padding:2px 10px;cursor:pointer}}
.xingu-gallery button:hover{{color:{INK};border-color:{PALE_INK}}}
.xingu-gallery section{{display:grid;grid-template-columns:250px minmax(0,1fr);gap:20px;
 padding:24px 24px 8px;scroll-margin-top:56px}}
.xingu-gallery aside{{position:sticky;top:80px;align-self:start;max-height:calc(100vh - 100px);
 overflow-y:auto}}
.xingu-gallery table{{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}}
.xingu-gallery td{{padding:4px 0;text-align:left;border-bottom:1px solid {GRID};
 overflow-wrap:anywhere}}
.xingu-gallery td+td{{text-align:right;padding-left:12px;font-weight:600}}
.xingu-plots{{display:grid;gap:16px;
 grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr))}}
.xingu-plots figure{{height:420px;background:#fff;border:1px solid {GRID};border-radius:8px;
 overflow:hidden;scroll-margin-top:72px;padding:4px}}
.xingu-plots .xingu-wide{{grid-column:1/-1}}
.xingu-plots .xingu-large{{grid-column:1/-1;height:min(720px,85vh)!important}}
.xingu-plots figure:target{{outline:2px solid {BLUE}}}
.xingu-plots figure>button{{position:absolute;right:8px;bottom:8px;padding:0 6px;opacity:0}}
.xingu-plots figure:hover>button,.xingu-plots button:focus-visible{{opacity:1}}
@media (max-width:900px){{.xingu-gallery section{{grid-template-columns:minmax(0,1fr)}}
 .xingu-gallery aside,.xingu-gallery header{{position:static}}}}
@media print{{.xingu-gallery button{{display:none}}.xingu-gallery aside,.xingu-gallery header{{
 position:static}}.xingu-plots figure{{break-inside:avoid}}}}
"""

SCRIPT = """
(() => {
  const page = document.querySelector(".xingu-page");
  const source = document.documentElement.outerHTML;
  const tag = '<script src="plotly.js"></' + 'script>';
  const waiting = new Set(page.querySelectorAll(".xingu-plot"));
  const cards = page.matches(".xingu-gallery");
  const hidden = cards ? ["lasso2d", "select2d", "zoomIn2d", "zoomOut2d", "autoScale2d"] : [];
  // Cards are small, and the header of the page says which train they show.
  const fit = (layout, name) => {
    if (!layout.title?.text) layout.title = {...layout.title, text: name};
    const stamps = (layout.annotations || []).filter(one => one.name === "stamp");
    if (stamps.length) {
      layout.annotations = layout.annotations.filter(one => one.name !== "stamp");
      layout.margin.b -= 24;
    }
    const base = (layout.template ||= {}).layout ||= {}, title = base.title || {};
    const small = {...title.subtitle?.font, size: 11};
    base.title = {...title, x: 0.02, y: 0.97, yanchor: "top", xanchor: "left",
      font: {...title.font, size: 15}, subtitle: {...title.subtitle, font: small}};
    base.margin = {...base.margin, t: 104, l: 64, r: 24};
    base.legend = {...base.legend, font: {size: 11}};
    delete layout.width; delete layout.height;
  };
  const draw = (Plotly, plot) => {
    if (!waiting.delete(plot)) return;
    const figure = JSON.parse(plot.querySelector("script").textContent);
    const shown = plot.querySelector("div");
    if (cards) fit(figure.layout, shown.getAttribute("aria-label").replaceAll("<", "&lt;"));
    // "Share chart" would send the data to a server of plotly.
    figure.config = {responsive: true, displaylogo: false, displayModeBar: "hover",
      plotlyServerURL: "", modeBarButtonsToRemove: ["sendChartToCloud", ...hidden]};
    Plotly.newPlot(shown, figure);
  };
  const drawAll = Plotly => {
    const seen = new IntersectionObserver(entries => entries.forEach(entry => {
      if (entry.isIntersecting) draw(Plotly, entry.target);
    }), {rootMargin: "400px"});
    waiting.forEach(plot => seen.observe(plot));
    addEventListener("beforeprint", () => waiting.forEach(plot => draw(Plotly, plot)));
    page.querySelectorAll("figure>button").forEach(button => button.onclick = () => {
      const plot = button.parentElement;
      plot.classList.toggle("xingu-large");
      if (plot.matches(".xingu-plot")) Plotly.Plots.resize(plot.querySelector("div"));
      plot.scrollIntoView({block: "nearest"});
    });
  };
  const save = page.querySelector(".xingu-save");
  if (save) save.onclick = () => {
    const packed = JSON.stringify(globalThis.xinguPacked);
    const inline = `<script>globalThis.xinguPlotly=(${globalThis.xinguUnpack})(${packed})</` +
      "script>";
    const whole = "<!DOCTYPE html>\\n" + source.replace(tag, () => inline);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([whole], {type: "text/html"}));
    link.download = save.dataset.name;
    link.click();
  };
  if (!waiting.size) return;
  Promise.resolve(globalThis.xinguPlotly).then(drawAll).catch(() => {
    page.querySelector(".xingu-note").hidden = false;
  });
})();
"""
"""Runs at the end of the page. It needs `xinguPlotly`; without it, the page's note is shown."""
